import { UserError } from "../user-error";
import type { HealthOptions, Terms, TrafficOptions } from "./request";
import { open, seal } from "./seal";

/** A release's terms as its release.json holds them. The values of `health-headers` may be tokens: they are sealed. */
export interface RecordedTerms {
  readonly traffic: TrafficOptions;
  readonly health: RecordedHealth;
  readonly bakeTime: number;
  /** milliseconds */
  readonly stopTimeout: number;
  /** bytes; 0 = no limit */
  readonly memory: number;
}

interface RecordedHealth extends Omit<HealthOptions, "body" | "headers" | "host"> {
  readonly host: string;
  /** '' = any body */
  readonly body: string;
  /** '' = none */
  readonly sealedHeaders: string;
}

/** @param key of the release's container; see `newKey` in seal.ts */
export function recordedTerms({ traffic, health, bakeTime, container }: Terms, key: string): RecordedTerms {
  const { path, status, host, headers, body, interval, timeout, threshold, startTimeout } = health;
  const sealedHeaders = Object.keys(headers).length === 0 ? "" : seal(JSON.stringify(headers), key);
  const recorded = { path, status, interval, timeout, threshold, startTimeout, sealedHeaders };
  return {
    traffic,
    health: { ...recorded, host: host ?? "", body: body?.source ?? "" },
    bakeTime,
    stopTimeout: container.stopTimeout,
    memory: container.memory ?? 0,
  };
}

/**
 * The terms that a release was deployed with.
 *
 * @param given what is to be another this time
 * @throws {UserError} when its headers can't be opened, and no others are given
 */
export function termsOf(version: string, recorded: RecordedTerms, key: string, given: Partial<HealthOptions>): Terms {
  const { sealedHeaders, body, host, ...health } = recorded.health;
  return {
    version,
    container: { stopTimeout: recorded.stopTimeout, memory: recorded.memory || undefined },
    traffic: recorded.traffic,
    bakeTime: recorded.bakeTime,
    health: {
      ...health,
      host: host || undefined,
      body: body ? new RegExp(body) : undefined,
      headers: given.headers ?? headersIn(sealedHeaders, key),
      ...given,
    },
  };
}

function headersIn(sealed: string, key: string): Readonly<Record<string, string>> {
  if (sealed === "") return {};
  try {
    return JSON.parse(open(sealed, key));
  } catch (cause) {
    throw new UserError(
      "health-headers: those that the release was deployed with can't be opened: its container was not made by hello-devops, or was changed. Give them again.",
      { cause },
    );
  }
}
