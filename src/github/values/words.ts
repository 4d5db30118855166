import { UserError } from "../../user-error";
import type { Parse } from "./parse";

const shellSyntax = /^(?:&&|\|\||>>|<<|[;&|<>()`]|\$(?=[A-Za-z0-9_{(@*#?!-])|\r?\n)/;
const escapableInDoubleQuotes = ['"', "\\", "$", "`"];

interface Quote {
  readonly mark: string;
  readonly at: number;
}

/**
 * Splits a command into words as a POSIX shell would, and runs no shell: quotes and backslashes work, and what only a
 * shell can do is refused, since it would reach the program as plain text. Nothing is expanded; a `*` stays a `*`.
 * (npm's shell-quote drops an unclosed quote and a `#` without a word, and replaces $NAME.)
 *
 * Errors name the place and not the text: a command may hold a secret.
 */
export const words: Parse<string[]> = (name, pasted) => {
  const text = pasted.replaceAll("\r\n", "\n");
  const found: string[] = [];
  let word: string | undefined;
  let quote: Quote | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (quote?.mark === "'") {
      if (char === "'") quote = undefined;
      else word += char;
    } else if (char === "\\" && next !== "" && (quote === undefined || escapableInDoubleQuotes.includes(next))) {
      at++;
      if (next !== "\n") word = (word ?? "") + next;
    } else if (char === quote?.mark) quote = undefined;
    else if (quote === undefined && (char === "'" || char === '"')) {
      quote = { mark: char, at };
      word ??= "";
    } else if (quote === undefined && (char === " " || char === "\t")) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      refuseShell(name, text.slice(at), quote);
      word = (word ?? "") + char;
    }
  }
  if (quote) throw new UserError(`${name}: the quote at character ${quote.at + 1} is never closed; close it.`);
  if (word !== undefined) found.push(word);
  if (found[0] === "") throw new UserError(`${name}: its first word is empty; begin with a program or an argument.`);
  return found;
};

function refuseShell(name: string, rest: string, quote: Quote | undefined): void {
  const syntax = shellSyntax.exec(rest)?.[0];
  if (syntax === undefined || (quote && syntax !== "$" && syntax !== "`")) return;
  if (syntax.endsWith("\n"))
    throw new UserError(`${name}: it has several lines, which needs a shell: write one line, or sh -c '...'.`);
  throw new UserError(
    `${name}: ${syntax} needs a shell, and none runs here: write sh -c '...', or put it in single quotes to pass it as it is.`,
  );
}
