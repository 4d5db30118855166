import { Patience } from "./patience";
import { matches } from "./pattern";
import { BODY_LIMIT } from "./sight";

/** What a check expects of an answer; what is left out may be anything. */
export interface Expectation {
  readonly status?: readonly StatusRange[];
  readonly headers?: readonly HeaderRule[];
  readonly version?: VersionRule;
  readonly body?: RegExp | undefined;
  readonly json?: readonly JsonRule[];
}

/** Both ends belong to it. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface HeaderRule {
  readonly name: string;
  /** undefined = it must be there, whatever it says */
  readonly is: string | RegExp | undefined;
}

/** One comparison of the JSON in the body; how it is made is not this file's matter. */
export interface JsonRule {
  /** as it was written */
  readonly text: string;
  /** undefined = it holds; else what was found */
  mismatch(document: unknown, patience: Patience): Pick<Mismatch, "text" | "brokenOff"> | undefined;
}

/** Where an answer names its release, and which one it must be. */
export interface VersionRule {
  /** "X-Release", "the JSON's build.id" */
  readonly where: string;
  readonly of: (answer: Answer) => string | undefined;
  /** undefined = any, or none */
  readonly is: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Mismatch {
  readonly part: "status" | "header" | "version" | "body" | "json";
  /** the end of a sentence */
  readonly text: string;
  /** it is not known to differ: what compares them took too long */
  readonly brokenOff?: boolean;
}

const LONGEST_EXCERPT = 200;

/** undefined = as expected; else what differs first. */
export function mismatch(answer: Answer, expected: Expectation): Mismatch | undefined {
  const text =
    wrongStatus(answer, expected.status) ??
    wrongHeader(answer, expected.headers ?? []) ??
    wrongVersion(answer, expected.version) ??
    wrongBody(answer, expected.body) ??
    wrongJson(answer, expected.json ?? []);
  return text && { ...text, text: `status ${answer.status}${text.part === "status" ? "" : ", but "}${text.text}` };
}

export const excerpt = (text: string): string => {
  const start = text.slice(0, LONGEST_EXCERPT);
  return `"${start}${text.length > start.length ? "…" : ""}"`;
};

function wrongStatus({ status, body }: Answer, ranges: Expectation["status"]): Mismatch | undefined {
  if (!ranges || ranges.some(({ from, to }) => status >= from && status <= to)) return undefined;
  return { part: "status", text: body ? `, body ${excerpt(body)}` : "" };
}

function wrongHeader({ headers }: Answer, rules: readonly HeaderRule[]): Mismatch | undefined {
  const patience = new Patience();
  for (const { name, is } of rules) {
    const got = headerOf(headers, name);
    const part = "header";
    if (got === undefined) return { part, text: `there is no header ${name}` };
    if (typeof is === "string" && got !== is) return { part, text: `${name} is ${excerpt(got)}, not "${is}"` };
    if (!(is instanceof RegExp)) continue;
    const found = matches(is, got, patience);
    if (found === undefined)
      return { part, text: `${is} did not end on ${name}; write a simpler pattern`, brokenOff: true };
    if (!found) return { part, text: `${name} is ${excerpt(got)}, which does not match ${is}` };
  }
  return undefined;
}

/** A header that came several times is one list (RFC 9110, 5.3). */
export function headerOf(headers: Answer["headers"], name: string): string | undefined {
  const got = headers[name.toLowerCase()];
  return typeof got === "string" ? got : got?.join(", ");
}

function wrongVersion(answer: Answer, rule: VersionRule | undefined): Mismatch | undefined {
  if (rule?.is === undefined) return undefined;
  const got = rule.of(answer);
  if (got === rule.is) return undefined;
  const names = got === undefined ? `${rule.where} names no release` : `${rule.where} is ${excerpt(got)}`;
  return { part: "version", text: `${names}, not "${rule.is}"` };
}

function wrongBody({ body }: Answer, pattern: RegExp | undefined): Mismatch | undefined {
  const found = pattern ? matches(pattern, body) : true;
  if (found) return undefined;
  const what = found === undefined ? `${pattern} did not end on the body` : `the body does not match ${pattern}`;
  return { part: "body", text: `${what}: ${excerpt(body)}`, brokenOff: found === undefined };
}

function wrongJson(answer: Answer, rules: readonly JsonRule[]): Mismatch | undefined {
  if (rules.length === 0) return undefined;
  const document = documentIn(answer.body);
  const why = answer.body.length < BODY_LIMIT ? "no JSON" : "longer than 1 MiB, and what was read of it no JSON";
  if (document === undefined) return { part: "json", text: `the body is ${why}: ${excerpt(answer.body)}` };
  const patience = new Patience();
  for (const rule of rules) {
    const found = rule.mismatch(document.value, patience);
    if (found) return { ...found, part: "json", text: `${rule.text} does not hold: ${found.text}` };
  }
  return undefined;
}

/** undefined = it is no JSON */
export function documentIn(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

/** "status 200-299, a body that matches /ok/", for evidence and failures. */
export function describeExpectation(expected: Expectation): string {
  const { status, headers = [], version, body, json = [] } = expected;
  const ranges = status?.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
  const parts = [
    ...(ranges ? [`status ${ranges}`] : []),
    ...(body ? [`a body that matches ${body}`] : []),
    ...headers.map(({ name, is }) => (is === undefined ? `a header ${name}` : `${name}: ${is}`)),
    ...(version?.is === undefined ? [] : [`${version.where} "${version.is}"`]),
    ...json.map(({ text }) => text),
  ];
  return parts.join(", ");
}
