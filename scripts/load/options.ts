import { parseArgs } from "node:util";
import { duration } from "../../src/github/values/durations";
import { wholeNumber } from "../../src/github/values/scalars";
import { UserError } from "../../src/user-error";
import type { Shares } from "./mix";

export interface Options extends Shares {
  readonly url: URL;
  /** requests a second */
  readonly rate: number;
  readonly forMs: number;
}

// For graphs, not for breaking anything: a mistyped figure must not hurt whoever is at the other end.
const mostARate = 100;

export function readOptions(args: string[]): Options {
  const given = parsed(args);
  const options = {
    url: addressOf(given.url),
    rate: wholeNumber(1, mostARate)("--rate", given.rate),
    forMs: duration("1s", "1h")("--for", given.for),
    errors: wholeNumber(0, 100)("--errors", given.errors),
    slow: wholeNumber(0, 100)("--slow", given.slow),
  };
  if (options.errors + options.slow > 100)
    throw new UserError("--errors and --slow are percent of the same requests: together 100 at most.");
  return options;
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        url: { type: "string", default: "" },
        rate: { type: "string", default: "20" },
        for: { type: "string", default: "60s" },
        errors: { type: "string", default: "5" },
        slow: { type: "string", default: "5" },
      },
    }).values;
  } catch (cause) {
    throw new UserError((cause as Error).message, { cause });
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url;
  throw new UserError(`--url: expected where the app answers, such as http://127.0.0.1:5000, got "${text}".`);
}
