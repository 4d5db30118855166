// Lines on their way, up to where the store reads them: as Docker writes them, as Logstash puts them together.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../bed/bed";

export interface Written {
  readonly text: string;
  readonly stream?: "stdout" | "stderr";
  readonly time?: string;
  /** what the options labels and tag of the driver bring */
  readonly attrs?: Record<string, string>;
}

export const attrsOf = (app: string, release: string): Record<string, string> => ({
  "hello-devops.app": app,
  "hello-devops.release": release,
  tag: `${app}-${release}`,
});

/** A line of the json-file driver for each line of the text: its keys in Docker's order, `<>&` escaped as in Go. */
export function jsonFile({ text, stream = "stdout", time = new Date().toISOString(), attrs }: Written): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) =>
    JSON.stringify({ log: `${line}\n`, stream, ...(attrs ? { attrs } : {}), time }).replace(
      /[<>&]/g,
      (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
    ),
  );
}

const conf = readFileSync(join(checkout, "monitoring/logstash/logstash.conf"), "utf8");

/** logstash.conf's own pattern: a line that it fits belongs to the one before. */
const belongs = new RegExp(/pattern => '(.+)'/.exec(conf)?.[1] ?? "(?!)");

export function together(lines: readonly string[]): string[] {
  const events: string[] = [];
  for (const line of lines)
    if (belongs.test(line) && events.length > 0) events.push(`${events.pop()}\n${line}`);
    else events.push(line);
  return events;
}
