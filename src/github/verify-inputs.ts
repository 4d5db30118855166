import type { ExpectedAnswer, Question, Target, TimeRequest, TlsRequest, VerifyRequest } from "../health/request";
import { UserError } from "../user-error";
import { type AwsEvidenceInputs, awsEvidence } from "./aws-evidence-inputs";
import { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { basicAuth, bearerToken, certificates } from "./values/credentials";
import { duration } from "./values/durations";
import { headerRules, jsonComparisons, versionSource } from "./values/expected";
import { headers, pattern, statusRanges } from "./values/health";
import { boolean, matching, oneOf, wholeNumber } from "./values/scalars";
import { addresses, urls } from "./values/urls";
import { refuseContradictions } from "./verify-together";

export interface VerifyInputs {
  readonly request: VerifyRequest;
  /** undefined = AWS is asked for nothing */
  readonly aws: AwsEvidenceInputs | undefined;
  /** the step fails unless everything is healthy */
  readonly fail: boolean;
  /** write a job summary */
  readonly summary: boolean;
}

/**
 * The inputs of actions/verify-health, all of them checked.
 *
 * @throws {UserError} with one line for each thing that is wrong.
 */
export function readVerifyInputs(io: InputSource): VerifyInputs {
  const from = new InputReader(io);
  const inputs: VerifyInputs = {
    request: {
      targets: targets(from),
      question: question(from),
      expected: expected(from),
      family: families[from.needed("ip-family", oneOf(["auto", "4", "6"]))],
      tls: tls(from),
      time: time(from),
    },
    aws: awsEvidence(from),
    fail: from.needed("fail", boolean),
    summary: from.needed("summary", boolean),
  };
  from.refuseProblems();
  refuseContradictions(from, inputs.request);
  from.refuseProblems();
  return inputs;
}

const families = { auto: 0, "4": 4, "6": 6 } as const;
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const mostChecks = 100;
const longestBody = 1024 * 1024;

/** Each URL at each address. */
function targets(from: InputReader): readonly Target[] {
  const asked = from.needed("url", urls("basic-auth")) ?? [];
  const at = from.optional("resolve", addresses) ?? [undefined];
  const all = asked.flatMap((url) => at.map((address) => ({ url, address })));
  return from.check(() => {
    if (all.length <= mostChecks) return all;
    const product = `${asked.length} URLs at ${at.length} addresses are ${all.length} checks`;
    throw new UserError(`resolve: ${product}; at most ${mostChecks} are made. Use several steps.`);
  });
}

function question(from: InputReader): Question {
  const host = "it follows from url: write the name there, and the address to connect to in resolve";
  const given = from.optional("headers", headers(host)) ?? {};
  return {
    method: from.needed("method", oneOf(methods)),
    headers: given,
    authorization: authorization(from, given),
    body: from.raw("body", body),
    followRedirects: from.needed("follow-redirects", boolean),
  };
}

function authorization(from: InputReader, given: Readonly<Record<string, string>>): string | undefined {
  const basic = from.optional("basic-auth", basicAuth);
  const bearer = from.optional("bearer-token", bearerToken);
  return from.check(() => {
    if (basic !== undefined && bearer !== undefined)
      throw new UserError("bearer-token: basic-auth is given too, and a request has one of them; leave one out.");
    const name = basic === undefined ? "bearer-token" : "basic-auth";
    const own = Object.keys(given).some((header) => header.toLowerCase() === "authorization");
    if (own && (basic ?? bearer) !== undefined)
      throw new UserError(`${name}: headers sets Authorization too; leave one of them out.`);
    return basic ?? bearer;
  });
}

const body = (name: string, text: string): string => {
  if (Buffer.byteLength(text) <= longestBody) return text;
  throw new UserError(`${name}: it is longer than 1 MiB, which is no question about health.`);
};

const expected = (from: InputReader): ExpectedAnswer => ({
  status: from.needed("expect-status", statusRanges),
  body: from.optional("expect-body", pattern),
  headers: from.optional("expect-header", headerRules) ?? [],
  json: from.optional("expect-json", jsonComparisons) ?? [],
  version: from.optional("expect-version", matching(/^[^\p{Cc}]{1,200}$/u, "a version of 1 to 200 characters")),
  versionFrom: from.needed("version-from", versionSource),
});

const tls = (from: InputReader): TlsRequest => ({
  verify: from.needed("tls-verify", boolean),
  authorities: from.optional("ca-certificate", certificates),
  minDays: from.needed("min-certificate-days", wholeNumber(0, 3650)),
});

const time = (from: InputReader): TimeRequest => ({
  timeout: from.needed("timeout", duration("1s", "6h")),
  interval: from.needed("interval", duration("100ms", "10m")),
  backoff: from.needed("backoff", oneOf(["none", "exponential"])) === "exponential",
  requestTimeout: from.needed("request-timeout", duration("100ms", "10m")),
  threshold: from.needed("threshold", wholeNumber(1, 100)),
  hold: from.needed("hold", duration("0s", "6h")),
  maxFailures: from.needed("max-failures", wholeNumber(0, 1000)),
  maxLatency: from.optional("max-latency", duration("1ms", "10m")),
  percentile: from.needed("latency-percentile", wholeNumber(1, 100)),
});
