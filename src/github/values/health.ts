import { isIPv6 } from "node:net";
import type { StatusRange } from "../../release/request";
import { UserError } from "../../user-error";
import { items, lines, type Parse } from "./parse";
import { shown } from "./shown";

export const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/; // RFC 9110, 5.6.2
const framing = ["connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "keep-alive"];
const mostHeaders = 50;
const longestPattern = 1000;

export const healthPath: Parse<string> = (name, text) => {
  // Node's HTTP client takes no other characters; CR and LF would begin another request
  if (/^\/[\x21-\x7e]{0,2047}$/.test(text)) return text;
  const why = text.startsWith("/")
    ? "without spaces, control characters or letters beyond ASCII"
    : "that begins with /";
  throw new UserError(`${name}: expected a path ${why}, such as /health, got ${shown(text)}.`);
};

/** `200-299`, `200,204,301-399` */
export const statusRanges: Parse<StatusRange[]> = (name, text) => {
  const ranges = items(text).map((item) => {
    const [, first, last] = /^(\d{3})(?:\s*-\s*(\d{3}))?$/.exec(item) ?? [];
    return { from: Number(first), to: Number(last ?? first) };
  });
  if (ranges.length > 0 && ranges.every(({ from, to }) => from >= 100 && from <= to && to <= 599)) return ranges;
  throw new UserError(`${name}: expected HTTP statuses such as 200-299 or 200,204,301-399, got ${shown(text)}.`);
};

/** What the Host header of a check says. */
export const hostHeader: Parse<string> = (name, text) => {
  const [, bracketed] = /^(?:\[([^\]]*)\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::\d{1,5})?$/.exec(text) ?? [" ", " "];
  if (bracketed === undefined || isIPv6(bracketed)) return text;
  throw new UserError(`${name}: expected a host such as shop.example.com, got ${shown(text)}.`);
};

/**
 * `Name: value` lines. Errors name the line, not its text: it may hold a token.
 *
 * @param host what to write in place of a Host header
 */
export const headers =
  (host: string): Parse<Record<string, string>> =>
  (name, text) => {
    const given = new Map<string, [string, string]>();
    for (const line of lines(text)) {
      const [header, value] = headerOf(name, line);
      const key = header.toLowerCase();
      if (key === "host") throw new UserError(`${name}: line ${line.number} sets Host; ${host}.`);
      if (framing.includes(key))
        throw new UserError(`${name}: line ${line.number} sets ${header}, which HTTP itself needs.`);
      if (given.has(key))
        throw new UserError(`${name}: line ${line.number} sets ${header} again; write each header once.`);
      given.set(key, [header, value]);
    }
    if (given.size > mostHeaders)
      throw new UserError(`${name}: got ${given.size} headers; at most ${mostHeaders} are sent.`);
    return Object.fromEntries(given.values());
  };

function headerOf(name: string, line: { number: number; text: string }): [string, string] {
  const [, header, value] = /^([^:\s]+):[ \t]*(.*)$/s.exec(line.text) ?? [];
  if (header === undefined || value === undefined || !headerName.test(header))
    throw new UserError(`${name}: line ${line.number} is no header; write Name: value, one a line.`);
  if (!/^[\t\x20-\x7e\x80-\xff]{1,8192}$/.test(value))
    throw new UserError(
      `${name}: line ${line.number} has a value that HTTP can't carry: blank, too long, or not Latin-1.`,
    );
  return [header, value];
}

/** A regular expression of JavaScript, without flags. */
export const pattern: Parse<RegExp> = (name, text) => {
  if (text.length > longestPattern)
    throw new UserError(`${name}: the pattern has ${text.length} characters; at most ${longestPattern} are read.`);
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new UserError(`${name}: ${shown(text)} is not a regular expression (${reason(cause)}).`, { cause });
  }
};

const reason = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^.*: /s, "") : "unreadable";

/** The header that names the release; `off` = none, which the rest of the code writes as ''. */
export const releaseHeader: Parse<string> = (name, text) => {
  if (text.toLowerCase() === "off") return "";
  const key = text.toLowerCase();
  if (key === "host" || key === "content-type" || framing.includes(key))
    throw new UserError(`${name}: ${text} already has a meaning in HTTP; write a name of your own, such as X-Release.`);
  if (/^[0-9A-Za-z._-]{1,64}$/.test(text)) return text; // what enters the proxy's configuration
  throw new UserError(`${name}: expected the name of an HTTP header such as X-Release, or off, got ${shown(text)}.`);
};
