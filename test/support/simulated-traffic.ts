// Traffic through a proxy that counts as HAProxy does, by a seeded chance: what the traffic gate's promises are counted on.

import type { Judgement } from "../../src/health/judgement";
import type { Counters } from "../../src/health/traffic-counters";
import { allowances, judgeTraffic, type StepSeen, type TrafficLimits } from "../../src/health/traffic-evidence";

export type Chance = () => number;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function chanceFrom(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One server's row of the proxy: the integer sums of HAProxy 3.0 (`swrate_add_dynamic`, `swrate_avg`). */
export class SimulatedServer {
  #requests = 0;
  #errors = 0;
  #sum = 0;

  answers(milliseconds: number, failed = false): void {
    this.#requests += 1;
    if (failed) this.#errors += 1;
    const fades = this.#requests > 512 ? Math.floor((this.#sum + 511) / 512) : 0;
    this.#sum += Math.round(milliseconds) - fades;
  }

  read(): Counters {
    const over = this.#requests > 0 && this.#requests < 512 ? this.#requests : 512;
    return {
      requests: this.#requests,
      errors: this.#errors,
      meanTime: Math.floor((this.#sum + over - 1) / over),
    };
  }
}

export interface Release {
  /** the chance of a 5xx */
  readonly fails: number;
  readonly takes: (chance: Chance) => number;
}

export interface Step {
  /** requests of the candidate and the live release; at 100 %, the live one's are those before the shift */
  readonly candidate: number;
  readonly live: number;
}

const LOOKS = 20; // in each step, the one at its end included

/** @returns the first verdict that ends the bake, or the last one */
export function bake(
  steps: readonly Step[],
  releases: { readonly candidate: Release; readonly live: Release },
  limits: TrafficLimits,
  chance: Chance,
): Judgement {
  const plan = allowances(limits, { steps: steps.length, looksBetween: steps.length * (LOOKS - 1) });
  const servers = { candidate: new SimulatedServer(), live: new SimulatedServer() };
  for (let warm = 0; warm < 600; warm += 1) servers.candidate.answers(1); // the release before, in the same slot
  let verdict: Judgement = { status: "inconclusive", evidence: [] };
  const before: StepSeen[] = [];
  for (const step of steps) {
    const seen = { candidate: [servers.candidate.read()], live: [servers.live.read()] };
    for (let look = 1; look <= LOOKS; look += 1) {
      for (const name of ["candidate", "live"] as const) {
        const due = Math.floor((step[name] * look) / LOOKS) - Math.floor((step[name] * (look - 1)) / LOOKS);
        for (let request = 0; request < due; request += 1)
          servers[name].answers(releases[name].takes(chance), chance() < releases[name].fails);
        seen[name].push(servers[name].read());
      }
      verdict = judgeTraffic([...before, seen], limits, look === LOOKS ? plan.atEnd : plan.between);
      if (verdict.status === "unhealthy") return verdict;
    }
    before.push(seen);
  }
  return verdict;
}

/** How many of so many bakes end in an abort. */
export function aborts(bakes: number, ...[steps, releases, limits, chance]: Parameters<typeof bake>): number {
  let count = 0;
  for (let one = 0; one < bakes; one += 1) if (bake(steps, releases, limits, chance).status === "unhealthy") count += 1;
  return count;
}

/** A tenth of the traffic. */
export const tenth = (requests: number): Step[] => [{ candidate: requests, live: 9 * requests }];

/** 10, 50 and 100 %, a third of the candidate's requests in each; before the shift the live one had as many as then the candidate. */
export function threeSteps(requests: number): Step[] {
  const each = Math.round(requests / 3);
  return [9, 1, 1].map((times) => ({ candidate: each, live: times * each }));
}

/** All of the traffic at once, against `times` as many requests before the shift. */
export const allAtOnce = (requests: number, times: number): Step[] => [{ candidate: requests, live: times * requests }];

const normal = (chance: Chance): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());

/** Milliseconds, from tame to wild: the last one has no variance. */
export const latencies: Readonly<Record<string, Release["takes"]>> = {
  "log-normal, sigma 0.5": (chance) => 50 * Math.exp(0.5 * normal(chance)),
  "log-normal, sigma 1": (chance) => 40 * Math.exp(normal(chance)),
  "log-normal, sigma 1.5": (chance) => 30 * Math.exp(1.5 * normal(chance)),
  "Pareto, alpha 1.5": (chance) => 20 * (1 - chance()) ** (-1 / 1.5),
};

/** All take the same time, for bakes that are about errors. */
export const alike = (fails: number): Release => ({ fails, takes: () => 10 });
