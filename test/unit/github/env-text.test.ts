import { expect, test } from "@jest/globals";
import { parse as dotenv } from "dotenv";
import { envText } from "../../../src/github/values/env-text";

const written: readonly [what: string, text: string, env: Record<string, string>][] = [
  ["nothing", "\n \n# only a comment = x\n", {}],
  ["plain values", "A=1\nB = two words \nexport C=3\nD: 4\nE=", { A: "1", B: "two words", C: "3", D: "4", E: "" }],
  ["CRLF line ends", "A=1\r\nB='2'\r\n", { A: "1", B: "2" }],
  ["a byte order mark", "\ufeffA=1", { A: "1" }],
  ["comments", "# x\nA=1 # y\nB='# z' # y\n#C=3", { A: "1", B: "# z" }],
  ["quotes of three kinds", 'A=\'a "b"\'\nB="it\'s"\nC=`\'"`', { A: 'a "b"', B: "it's", C: "'\"" }],
  ["several lines in quotes", 'A="-----BEGIN\nabc=\n\n-----END"\nB=1', { A: "-----BEGIN\nabc=\n\n-----END", B: "1" }],
  ["line ends written out", "A=\"a\\nb\\rc\"\nB='a\\nb'", { A: "a\nb\rc", B: "a\\nb" }],
  ["what looks like a variable", "A=$HOME `date`", { A: "$HOME `date`" }],
  ["blanks at a quoted value's ends", "A='  x\t'", { A: "  x\t" }],
  ["JSON", 'A={"a": [1, "=x"]}', { A: '{"a": [1, "=x"]}' }],
  ["a name twice", "A=1\nA=2", { A: "2" }],
  ["names with dots and hyphens", "a.b-c=1", { "a.b-c": "1" }],
];
test.each(written)("reads %s as dotenv does", (_what, text, env) => {
  expect(envText("env", text)).toEqual(env);
  expect(dotenv(text)).toEqual(env);
});

const skipped: readonly [what: string, text: string, line: number][] = [
  ["a word", "secret", 1],
  ["two words before =", "A=1\nB C=secret", 2],
  ["a line without a name", "\n\n=secret", 3],
  ["the rest of a value without quotes", "KEY=-----BEGIN\nsecret\n-----END", 2],
  ["a line behind a value of several lines", "A='1\n2\n3'\n\nsecret line\nB=2", 5],
  ["a line in a CRLF file", "A=1\r\nsecret\r\n", 2],
  ["several, of which the first is told", "A=1\nsecret\nsecret", 2],
];
test.each(skipped)("refuses what dotenv would leave out: %s", (_what, text, line) => {
  expect(() => envText("env", text)).toThrow(`env: line ${line} is not NAME=value.`);
  expect(() => envText("env", text)).not.toThrow(/secret/);
});

test("every value that the dialect can write arrives unchanged", () => {
  const random = seeded(20261124);
  for (let round = 0; round < 3000; round++) {
    const env: Record<string, string> = {};
    const lines: string[] = [];
    for (let index = 0; index <= random(4); index++) {
      const value = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)] ?? "").join("");
      const quoted = inQuotes(value);
      if (quoted === undefined) continue;
      env[`NAME_${index}`] = value;
      lines.push(`NAME_${index}=${quoted}`);
    }
    expect(envText("env", lines.join("\n"))).toEqual(env);
  }
});

test("whatever text is given, every setting is read or a line is refused", () => {
  const random = seeded(7);
  const pieces = [...alphabet, "A=", "B: ", "\nC=", "export ", "# "];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random(20) }, () => pieces[random(pieces.length)] ?? "").join("");
    const env = outcomeOf(text);
    if (env !== "refused") expect(env).toEqual(dotenv(text));
  }
});

const letters = [
  "a",
  "=",
  "#",
  " ",
  "\t",
  "$",
  "{",
  "}",
  "\\",
  "n",
  "r",
  ":",
  "%",
  "é",
  "中",
  "😀",
  "\u2028",
  "\u0085",
];
const alphabet = [...letters, "\n", "\r", '"', "'", "`", "\u202e", "\u0001", "\u{10ffff}", "export X=1"];

/** How a person would write the value; undefined = dotenv has no way to (all three quotes, say). */
function inQuotes(value: string): string | undefined {
  // a backslash before the end would escape the quote
  if (value.endsWith("\\")) return undefined;
  for (const quote of ["'", "`"]) if (!value.includes(quote) && !value.includes("\r")) return quote + value + quote;
  const expands = value.includes("\\n") || value.includes("\\r");
  return value.includes('"') || expands ? undefined : `"${value.replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}

function outcomeOf(text: string): Record<string, string> | "refused" {
  try {
    return envText("env", text);
  } catch {
    return "refused";
  }
}

/** mulberry32: the same numbers on every run, so that a failure comes again */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
