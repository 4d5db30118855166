import { unlessAborted } from "./attempt";
import type { Clock } from "./gate";
import { SHORTEST_LIMIT } from "./probe";
import type { Sight } from "./sight";

/** What one look came to at something that has no body, no version and no certificate. */
export type Glance = Pick<Sight, "standing" | "kind" | "seen">;

/** @param reason a sentence's end */
export const notRead = (reason: string): Glance => ({
  standing: "blind",
  kind: "not read",
  seen: `it could not be read: ${reason}`,
});

/** Something besides the URLs that must be healthy, too. Health does not know what it is, nor who is asked for it. */
export interface Signal {
  /** 'alarm "web-5xx"' */
  readonly name: string;
  /** a sentence's end: "the state OK" */
  readonly expected: string;
  /** milliseconds; what it says changes no sooner, so it is asked no more often */
  readonly interval: number;
  /** What it throws is blind: nothing is known of it then. */
  look(over: AbortSignal): Promise<Glance>;
}

const LIMIT = 10_000; // milliseconds, for one look

interface Means {
  readonly clock: Clock;
  /** aborted when the job is cancelled */
  readonly cancel: AbortSignal;
}

/** Looks once, within the time that the gate has left. Whatever happens is a sight. */
export function probeOfSignal(signal: Signal, { clock, cancel }: Means): (timeLeft: number) => Promise<Sight> {
  return async (timeLeft) => {
    const began = clock.now();
    const limit = Math.min(LIMIT, Math.max(SHORTEST_LIMIT, Math.ceil(timeLeft)));
    const over = AbortSignal.any([cancel, AbortSignal.timeout(limit)]);
    const glance = await unlessAborted(signal.look(over), over).catch((error: Error): Glance => {
      const seen = error.name === "TimeoutError" ? `no answer within ${limit / 1000} s` : error.message;
      return { standing: "blind", kind: "not read", seen };
    });
    return {
      ...glance,
      body: "",
      version: undefined,
      certificateExpires: undefined,
      milliseconds: clock.now() - began,
    };
  };
}
