import { type Certificate, expiresSoon } from "./certificate";
import { mismatch } from "./expectation";
import { expectationFor } from "./expected";
import { ask, type HttpAnswer, type HttpRequest } from "./http";
import { proxyAuthorization, refused } from "./proxy";
import { connect, type Way } from "./reach";
import { follow, type Hop, locationOf } from "./redirects";
import type { Target, VerifyRequest } from "./request";
import { shownUrl } from "./shown-url";
import { BODY_LIMIT, type Look, type Surroundings } from "./sight";

/** Asks by HTTP, over as many redirects as the question follows, and judges the last answer. */
export function lookByHttp({ url }: Target, request: VerifyRequest, way: Way, around: Surroundings): Look {
  const { question } = request;
  const expectation = expectationFor(url, request.expected);
  return async (attempt) => {
    const began = around.now();
    const certificates: Certificate[] = [];
    let last = url;
    const answer = await follow({ url, question }, async (hop) => {
      last = hop.url;
      const { stream, certificate, readBy } = await connect(hop.url, way, attempt);
      if (certificate) certificates.push(certificate);
      const got = await ask(async () => stream, requestOf(hop, readBy), attempt, around.now);
      if (readBy && got.status === 407) throw refused(readBy, got.status);
      return got;
    });
    const took = Math.round(around.now() - began);
    const found = {
      body: answer.body,
      version: expectation.version?.of(answer),
      certificateExpires: attempt.found.certificateExpires,
    };
    const differs = mismatch(answer, expectation);
    if (differs) {
      const kind = differs.part === "status" ? `${answer.status}` : `${answer.status} wrong ${differs.part}`;
      const hint = differs.part === "status" ? redirectHint(answer, last, question.followRedirects) : "";
      return { ...found, standing: "wrong", kind, seen: `${differs.text}${hint}` };
    }
    const soon = tooSoon(certificates, request, around.date());
    if (soon !== undefined)
      return {
        ...found,
        standing: "wrong",
        kind: `${answer.status} certificate`,
        seen: `status ${answer.status}, but ${soon}`,
      };
    const where = last === url ? "" : ` at ${shownUrl(last)}`;
    return {
      ...found,
      standing: "right",
      kind: `${answer.status}`,
      seen: `status ${answer.status}${where} in ${took} ms`,
    };
  };
}

function requestOf({ url, question }: Hop, readBy: URL | undefined): HttpRequest {
  const { method, headers, authorization, body } = question;
  return {
    method,
    path: readBy ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`,
    host: url.host,
    headers: {
      accept: "*/*", // as curl: some servers answer 406 without it
      ...headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(readBy ? proxyAuthorization(readBy) : {}),
    },
    body,
    bodyLimit: BODY_LIMIT,
  };
}

/** The sentence of the first certificate on the way that is not valid for long enough. */
export function tooSoon(certificates: readonly Certificate[], { tls }: VerifyRequest, at: number): string | undefined {
  if (tls.minDays === 0) return undefined;
  return certificates
    .map((certificate) => expiresSoon(certificate, tls.minDays, at))
    .find((text) => text !== undefined);
}

function redirectHint(answer: HttpAnswer, from: URL, followed: boolean): string {
  const to = followed ? undefined : locationOf(answer, from);
  return to ? ` (it redirects to ${shownUrl(to)})` : "";
}
