// The protocols of AWS that our clients speak: EC2's query, the other query, and JSON 1.0 and 1.1
// (https://smithy.io/2.0/aws/protocols/index.html). What is sent is read, and errors are written, in the request's own.
import type { IncomingHttpHeaders } from "node:http";

type Protocol = "ec2" | "query" | "json";

export interface Call {
  /** As an IAM policy names it: `ec2:DescribeInstances`. */
  readonly action: string;
  readonly region: string;
  /** Of a query, with its lists as arrays: `{ Filter: [{ Name: "tag:Name", Value: ["web"] }] }`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly protocol: Protocol;
  /** The request's content type, which a JSON answer has, too. */
  readonly type: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface AwsError {
  readonly code: string;
  /** of HTTP; 400 when left out */
  readonly status?: number;
  readonly message?: string;
}

/** Services that sign with another name than IAM gives them. */
const iamNames: Readonly<Record<string, string>> = { monitoring: "cloudwatch" };

/** @returns undefined for a request that no client of AWS signs */
export function readCall(headers: IncomingHttpHeaders, body: string): Call | undefined {
  const scope = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(headers.authorization ?? "");
  if (!scope) return undefined;
  const [, region = "", service = ""] = scope;
  const named = { region, type: headers["content-type"] ?? "" };
  const action = (name: string) => `${iamNames[service] ?? service}:${name}`;
  const target = headers["x-amz-target"];
  if (typeof target === "string")
    return { ...named, action: action(target.split(".").at(-1) ?? ""), parameters: JSON.parse(body), protocol: "json" };
  const { Action, Version: _, ...parameters } = nested(new URLSearchParams(body));
  return { ...named, action: action(String(Action)), parameters, protocol: service === "ec2" ? "ec2" : "query" };
}

type Tree = { [name: string]: string | Tree };

/** `A.1.B=x` is `{ A: [{ B: "x" }] }`. */
function nested(form: URLSearchParams): Record<string, unknown> {
  const tree: Tree = {};
  for (const [path, value] of form) put(tree, path.split("."), value);
  return listed(tree) as Record<string, unknown>;
}

function put(tree: Tree, [name = "", ...inner]: readonly string[], value: string): void {
  if (inner.length === 0) {
    tree[name] = value;
    return;
  }
  const there = tree[name];
  const next = typeof there === "object" ? there : {};
  tree[name] = next;
  put(next, inner, value);
}

function listed(tree: string | Tree): unknown {
  if (typeof tree === "string") return tree;
  const entries = Object.entries(tree);
  if (entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name))) return entries.map(([, it]) => listed(it));
  return Object.fromEntries(entries.map(([name, it]) => [name, listed(it)]));
}

export function errorAnswer(
  call: Call,
  { code, status = 400, message = `played by the test: ${code}` }: AwsError,
): Answer {
  if (call.protocol === "json") return jsonAnswer(call, { __type: code, message }, status);
  const error = `<Code>${code}</Code><Message>${message}</Message>`;
  const body =
    call.protocol === "ec2"
      ? `<Response><Errors><Error>${error}</Error></Errors><RequestID>bed</RequestID></Response>`
      : `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>bed</RequestId></ErrorResponse>`;
  return { status, type: "text/xml", body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` };
}

export const jsonAnswer = (call: Call, value: unknown, status = 200): Answer => ({
  status,
  type: call.type,
  body: JSON.stringify(value),
});
