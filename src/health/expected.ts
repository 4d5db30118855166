import { type Answer, describeExpectation, documentIn, type Expectation, headerOf } from "./expectation";
import { jsonRule, textAt } from "./json-comparison";
import type { ExpectedAnswer } from "./request";

/** What this kind of server can be held to: a status is HTTP's, and plain TCP has nothing but bytes. */
export function expectationFor({ protocol }: URL, expected: ExpectedAnswer): Expectation {
  const { status, body, headers, json } = expected;
  if (protocol === "tcp:") return { body };
  const rest = { body, headers, json: json.map(jsonRule), version: versionRule(expected) };
  return protocol.startsWith("http") ? { status, ...rest } : rest;
}

function versionRule({ version: is, versionFrom: from }: ExpectedAnswer): NonNullable<Expectation["version"]> {
  if ("header" in from) return { is, where: from.header, of: ({ headers }) => headerOf(headers, from.header) };
  const of = ({ body }: Answer) => textAt(documentIn(body)?.value ?? null, from.json);
  return { is, where: `the JSON's ${from.json}`, of };
}

export function describeFor(url: URL, expectation: Expectation): string {
  const least = url.protocol === "tcp:" ? "a connection" : "a WebSocket handshake";
  const parts = describeExpectation(expectation);
  if (url.protocol.startsWith("http")) return parts;
  return parts === "" ? least : `${least}, ${parts}`;
}
