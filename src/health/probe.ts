import { type Found, within } from "./attempt";
import { lookByHttp } from "./http-look";
import { type NoAnswer, noAnswer } from "./no-answer";
import { hostOf, type Way } from "./reach";
import type { Target, VerifyRequest } from "./request";
import type { Look, Sight, Surroundings } from "./sight";
import { lookByTcp } from "./tcp";
import { lookByWebSocket } from "./websocket-look";

export const SHORTEST_LIMIT = 100; // milliseconds; the last look before the timeout gets so much, though less is left

export const wayTo = ({ url, address }: Target, { family, tls }: VerifyRequest, { proxyOf }: Surroundings): Way => ({
  family,
  tls,
  proxyOf,
  resolve: address === undefined ? undefined : { host: hostOf(url), address },
});

/** Looks once at the target, within the request's limit and the time that the gate has left. Whatever happens is a sight. */
export function probeOf(
  target: Target,
  request: VerifyRequest,
  around: Surroundings,
): (timeLeft: number) => Promise<Sight> {
  const look = lookAt(target, request, around);
  return async (timeLeft) => {
    const limit = Math.min(request.time.requestTimeout, Math.max(SHORTEST_LIMIT, Math.ceil(timeLeft)));
    const began = around.now();
    let found: Found = {};
    const sight = await within(limit, (attempt) => {
      found = attempt.found;
      return look(attempt);
    }).catch((error) => unanswered(noAnswer(error), found, limit < request.time.requestTimeout));
    return { ...sight, milliseconds: around.now() - began };
  };
}

function lookAt(target: Target, request: VerifyRequest, around: Surroundings): Look {
  const way = wayTo(target, request, around);
  const by = { "tcp:": lookByTcp, "ws:": lookByWebSocket, "wss:": lookByWebSocket }[target.url.protocol] ?? lookByHttp;
  return by(target, request, way, around);
}

function unanswered(error: NoAnswer, found: Found, isShort: boolean): Omit<Sight, "milliseconds"> {
  const { message, kind, blind, late } = error;
  const { body = "", version, certificateExpires } = found;
  const standing = blind ? "blind" : "wrong";
  return { standing, kind, seen: message, body, version, certificateExpires, cutShort: late && isShort };
}
