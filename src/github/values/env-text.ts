import { parse as dotenv } from "dotenv";
import { UserError } from "../../user-error";
import type { Parse } from "./parse";

/**
 * dotenv's own pattern (its version 18), here only to find the lines that dotenv leaves out without a word.
 * The values are dotenv's; a test holds the two together.
 */
const entry =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(?:\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm;

type Env = Record<string, string>;

/** Settings in the dialect of npm's dotenv, nothing interpolated. Errors name the line, not its text: it may be a secret. */
export const envText: Parse<Env> = (name, text) => {
  const unix = text.replace(/\r\n?/g, "\n");
  const [skipped] = skippedLines(unix);
  if (skipped)
    throw new UserError(
      `${name}: line ${skipped.number} is not NAME=value. A value of several lines needs quotes around it, and a ` +
        "comment begins with #.",
    );
  const env = dotenv(unix);
  for (const { name: key, line } of entries(unix)) {
    // `__proto__` is such a name: it gets lost in a plain object
    if (!Object.hasOwn(env, key))
      throw new UserError(`${name}: line ${line} sets a name that can't be used; rename it.`);
    if (env[key]?.includes("\0"))
      throw new UserError(
        `${name}: the value of ${key} (line ${line}) holds a NUL character, which no environment can.`,
      );
  }
  return env;
};

/** Every piece of the text that may be a secret, broken lines too. Never throws. */
export function valuesIn(text: string): string[] {
  const unix = text.replace(/\r\n?/g, "\n");
  return [...Object.values(dotenv(unix)), ...skippedLines(unix).map((line) => line.text)];
}

interface Line {
  readonly number: number;
  readonly text: string;
}

function skippedLines(text: string): Line[] {
  const found: Line[] = [];
  let end = 0;
  for (const match of text.matchAll(entry)) {
    found.push(...meaningful(text, end, match.index));
    end = match.index + match[0].length;
  }
  return [...found, ...meaningful(text, end, text.length)];
}

function meaningful(text: string, from: number, to: number): Line[] {
  const first = lineAt(text, from);
  return text
    .slice(from, to)
    .split("\n")
    .map((line, index) => ({ number: first + index, text: line.trim() }))
    .filter((line) => line.text !== "" && !line.text.startsWith("#"));
}

const entries = (text: string): { name: string; line: number }[] =>
  [...text.matchAll(entry)].map((match) => ({
    name: match[1] ?? "",
    line: lineAt(text, match.index + match[0].search(/\S/)),
  }));

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;
