import type { InputSource } from "./input-source";

const wordsOfSettings =
  /^(true|false|yes|no|on|off|null|none|auto|info|debug|warn|warning|error|trace|test|development|staging|production|localhost|127\.0\.0\.1|0\.0\.0\.0|utf-8)$/i;
const smallNumber = /^[+-]?\d{1,6}(\.\d{1,6})?$/;

/** A shorter mask would hide half the log. */
export const shortest = 4;

/** A setting may be a secret, and may be a word that the log is full of. `known` = what the log says anyway. */
const isWorthMasking = (text: string, known: string): boolean =>
  !wordsOfSettings.test(text) && !smallNumber.test(text) && !known.includes(text);

/** What GitHub itself prints of a run. */
export const runnerText = ({ env }: InputSource): string[] =>
  ["GITHUB_SHA", "GITHUB_REPOSITORY", "GITHUB_ACTOR", "GITHUB_REF_NAME", "GITHUB_SERVER_URL"].map(
    (name) => env[name] ?? "",
  );

/** A mask is compared line by line with the log. */
export function withItsLines(text: string): string[] {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return [text.trim(), ...lines].filter((line) => line !== "" && !/^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(line));
}

/** Of the values of settings those that are masked, each line by itself, too. */
export const settingsToMask = (values: readonly string[], known: string): string[] =>
  values.flatMap(withItsLines).filter((text) => text.length >= shortest && isWorthMasking(text, known));

export const headerValues = (text: string): string[] =>
  text.split(/[\r\n]+/).flatMap((line) => {
    const value = line.replace(/^[^:]*:/, "").trim();
    return [value, value.replace(/^(Bearer|Basic|Token)\s+/i, "")];
  });

/**
 * The part of base64 that stands for a text wherever it lies in a longer one: three forms, by its offset modulo 3.
 * The first and last characters are shared with the neighbours and left out. A short one would mask chance hits.
 */
export function base64Cores(text: string): string[] {
  return [0, 1, 2]
    .map((offset) => {
      const bytes = Buffer.from("\0".repeat(offset) + text);
      return bytes.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
    })
    .filter((core) => core.length >= 8);
}
