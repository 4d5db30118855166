import type { Found } from "./attempt";
import { type Answer, type Mismatch, mismatch, type VersionRule } from "./expectation";
import { expectationFor } from "./expected";
import { tooSoon } from "./http-look";
import { connect, type Way } from "./reach";
import type { Target, VerifyRequest } from "./request";
import type { Look, Surroundings } from "./sight";
import { converse } from "./websocket";

/** The last wrong message is what was seen when no right one comes. */
function noted(
  answer: Answer,
  differs: Mismatch | undefined,
  version: VersionRule | undefined,
  found: Found,
): Mismatch | undefined {
  if (!differs) return undefined;
  Object.assign(found, { kind: `101 wrong ${differs.part}`, body: answer.body, version: version?.of(answer) });
  return differs;
}

/** Shakes hands, and reads messages when something is expected of them. */
export function lookByWebSocket({ url }: Target, request: VerifyRequest, way: Way, around: Surroundings): Look {
  const { headers = [], version, body, json = [] } = expectationFor(url, request.expected);
  const inJson = "json" in request.expected.versionFrom;
  const ofHandshake = { headers, ...(version && !inJson ? { version } : {}) };
  const ofMessage = { body, json, ...(version && inJson ? { version } : {}) };
  const reads = body !== undefined || json.length > 0 || (inJson && version?.is !== undefined);
  return async (attempt) => {
    const began = around.now();
    const { stream, certificate } = await connect(url, way, attempt);
    const certificates = certificate ? [certificate] : [];
    const judges = {
      handshake: (answer) => mismatch(answer, ofHandshake),
      message: reads ? (answer) => noted(answer, mismatch(answer, ofMessage), version, attempt.found) : undefined,
    } satisfies Parameters<typeof converse>[3];
    const { answer, differs } = await converse(url, () => stream, request.question, judges, attempt);
    const { certificateExpires } = attempt.found;
    const found = { body: answer.body, version: version?.of(answer), certificateExpires };
    if (differs) return { ...found, standing: "wrong", kind: `101 wrong ${differs.part}`, seen: differs.text };
    const soon = tooSoon(certificates, request, around.date());
    if (soon !== undefined) return { ...found, standing: "wrong", kind: "101 certificate", seen: soon };
    const what = reads ? "the right message" : "a WebSocket";
    return { ...found, standing: "right", kind: "101", seen: `${what} in ${Math.round(around.now() - began)} ms` };
  };
}
