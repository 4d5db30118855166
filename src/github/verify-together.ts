import { isIP } from "node:net";
import type { Target, VerifyRequest } from "../health/request";
import { UserError } from "../user-error";
import type { InputReader } from "./input-reader";

/**
 * Values that are right alone and can't be met together, or would be read by nobody.
 *
 * @param as what the action calls an input that verify-health has
 */
export function refuseContradictions(
  from: InputReader,
  request: VerifyRequest,
  as: (name: string) => string = (name) => name,
): void {
  const problems = [
    ...tooLittleTime(request),
    ...tooManyFailures(request),
    ...latencyOfNothing(request),
    ...withoutHttp(request),
    ...withoutTls(request),
    ...withoutBody(request),
    ...otherFamily(request),
  ];
  for (const problem of problems)
    from.check(() => {
      throw new UserError(problem.replace(/^[a-z-]+(?=:)/, as));
    });
}

function tooLittleTime({ time: { interval, threshold, timeout } }: VerifyRequest): string[] {
  if (interval * (threshold - 1) < timeout) return [];
  return [`timeout: ${threshold} answers (threshold) with interval between them take longer; lengthen it.`];
}

function tooManyFailures({ time: { hold, interval, maxFailures } }: VerifyRequest): string[] {
  if (maxFailures === 0) return [];
  if (hold === 0) return ["max-failures: it counts in hold, and hold is 0s; give hold a time, or leave it out."];
  const attempts = Math.ceil(hold / interval); // the last one is at the end of hold
  if (maxFailures < attempts) return [];
  return [`max-failures: hold has ${attempts} attempts (interval), so all of them might be wrong; lower it.`];
}

function latencyOfNothing({ time: { maxLatency, percentile, requestTimeout } }: VerifyRequest): string[] {
  if (maxLatency === undefined)
    return percentile === 95 ? [] : ["latency-percentile: it is max-latency's, which is blank; give both or neither."];
  if (maxLatency < requestTimeout) return [];
  return ["max-latency: request-timeout ends an attempt before it is reached; it must be shorter than that."];
}

const has = ({ targets }: VerifyRequest, ...schemes: readonly string[]): boolean =>
  targets.some(({ url }) => schemes.includes(url.protocol));

/** What only HTTP has, where nothing is asked by HTTP; what a WebSocket's handshake has, too, where all is plain TCP. */
function withoutHttp(request: VerifyRequest): string[] {
  const { question, expected } = request;
  if (has(request, "http:", "https:")) return [];
  const ofHttp = [
    ...given("method", question.method !== "GET"),
    ...given("follow-redirects", question.followRedirects),
  ];
  const ofHandshake = [
    ...given("headers", Object.keys(question.headers).length > 0),
    ...given("basic-auth", question.authorization?.startsWith("Basic ") ?? false),
    ...given("bearer-token", question.authorization?.startsWith("Bearer ") ?? false),
    ...given("expect-header", expected.headers.length > 0),
    ...given("expect-json", expected.json.length > 0),
    ...given("expect-version", expected.version !== undefined),
  ];
  if (has(request, "ws:", "wss:"))
    return ofHttp.map((name) => `${name}: it has no meaning for a WebSocket, and no URL is http or https.`);
  return [...ofHttp, ...ofHandshake].map((name) => `${name}: it has no meaning for tcp, and no URL is anything else.`);
}

const given = (name: string, is: boolean): string[] => (is ? [name] : []);

function withoutTls(request: VerifyRequest): string[] {
  const { tls, question } = request;
  const both =
    tls.authorities !== undefined && !tls.verify
      ? ["ca-certificate: tls-verify is false, so it is not read; leave one of them out."]
      : [];
  if (has(request, "https:", "wss:") || question.followRedirects) return both; // a redirect may lead to https
  const unread = [
    ...given("ca-certificate", tls.authorities !== undefined),
    ...given("min-certificate-days", tls.minDays > 0),
  ];
  return [...both, ...unread.map((name) => `${name}: no URL begins with https or wss, so there is no certificate.`)];
}

function withoutBody({ question, expected }: VerifyRequest): string[] {
  if (question.method !== "HEAD") return [];
  const unread = [
    ...given("body", question.body !== ""),
    ...given("expect-body", expected.body !== undefined),
    ...given("expect-json", expected.json.length > 0),
    ...given("version-from", "json" in expected.versionFrom),
  ];
  return unread.map((name) => `${name}: method is HEAD, which has no body; use GET.`);
}

function otherFamily({ targets, family }: VerifyRequest): string[] {
  if (family === 0) return [];
  const place = ({ url, address }: Target) => address ?? url.hostname.replace(/^\[|\]$/g, "");
  const others = targets.map(place).filter((host) => isIP(host) !== 0 && isIP(host) !== family);
  return [...new Set(others)].map((host) => `ip-family: it is ${family}, but ${host} is an IPv${isIP(host)} address.`);
}
