import { UserError } from "../../user-error";
import type { Parse } from "./parse";
import { shown } from "./shown";

/** The booleans of YAML 1.2's core schema, which are those of GitHub's own toolkit. */
export const boolean: Parse<boolean> = (name, text) => {
  if (["true", "True", "TRUE"].includes(text)) return true;
  if (["false", "False", "FALSE"].includes(text)) return false;
  throw new UserError(`${name}: expected true or false, got ${shown(text)}.`);
};

export function wholeNumber(min: number, max: number): Parse<number> {
  return (name, text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UserError(`${name}: expected a whole number from ${min} to ${max}, got ${shown(text)}.`);
  };
}

export const portNumber: Parse<number> = (name, text) => {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= 65535) return value;
  throw new UserError(`${name}: expected a port from 1 to 65535, got ${shown(text)}.`);
};

/** Text that must match a pattern; `what` says in words how it looks. */
export function matching(pattern: RegExp, what: string): Parse<string> {
  return (name, text) => {
    if (pattern.test(text)) return text;
    throw new UserError(`${name}: expected ${what}, got ${shown(text)}.`);
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Parse<T> {
  const all = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return (name, text) => {
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    throw new UserError(`${name}: expected ${all}, got ${shown(text)}.`);
  };
}
