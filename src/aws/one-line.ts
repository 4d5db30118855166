import { UserError } from "../user-error";

const LONGEST = 300;

/** AWS's text in a sentence of ours: on one line, without its full stop, cut. */
export function oneLine(text: string): string {
  const line = text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .replace(/\.$/, "");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** What AWS or the way there answered instead: "ThrottlingException: Rate exceeded". */
export function reasonOf(error: unknown): string {
  if (error instanceof UserError) return oneLine(error.message); // it says what went wrong by itself
  return error instanceof Error ? oneLine(`${error.name}: ${error.message}`) : oneLine(String(error));
}
