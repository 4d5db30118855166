// How often the traffic gate aborts a bake that is healthy, and how many bad ones it catches: counted on simulated traffic.
import { chanceOfAtLeast } from "../src/health/chance";
import type { TrafficLimits } from "../src/health/traffic-evidence";
import {
  aborts,
  alike,
  allAtOnce,
  chanceFrom,
  latencies,
  type Step,
  tenth,
  threeSteps,
} from "../test/support/simulated-traffic";
import { type Goal, goalTable, holds, table, timed } from "./stopwatch/figures";

const SEED = 20_261_126;
const limits: TrafficLimits = { maxErrorRate: 0.01, maxLatencyIncrease: undefined, minRequests: 20 };
const limitsWithLatency: TrafficLimits = { ...limits, maxLatencyIncrease: 0.5 };

type Plan = readonly [name: string, steps: (requests: number) => Step[]];
const atTenth: Plan = ["10 %", tenth];
const inSteps: Plan = ["10, 50, 100 %", threeSteps];
const atOnce: Plan = ["100 %, as many requests before", (requests) => allAtOnce(requests, 1)];
const atOnceLong: Plan = ["100 %, 9 times as many before", (requests) => allAtOnce(requests, 9)];

const percent = (count: number, bakes: number): string => `${((100 * count) / bakes).toFixed(1)} %`;

/** @returns the most false aborts of any kind of bake, over all counts of requests: one cell alone is too few to tell */
function falseAborts(bakes: number): number {
  const counts = [20, 50, 100, 200, 500, 1000, 2000];
  const chance = chanceFrom(SEED);
  const kinds = [atTenth, inSteps, atOnce].flatMap(([plan, steps]) =>
    [0, 0.001, 0.005, 0.02].map((fails) => {
      const both = { candidate: alike(fails), live: alike(fails) };
      return { plan, fails, aborted: counts.map((requests) => aborts(bakes, steps(requests), both, limits, chance)) };
    }),
  );
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const rows = kinds.map(({ plan, fails, aborted }) => [
    plan,
    `${fails * 100} %`,
    ...aborted.map((count) => percent(count, bakes)),
    percent(sum(aborted), bakes * counts.length),
  ]);
  console.log(`\nHealthy bakes aborted, of ${bakes} each, by the candidate's requests:\n`);
  console.log(table(["traffic", "5xx of both", ...counts.map(String), "all"], rows));
  return Math.max(...kinds.map(({ aborted }) => sum(aborted) / (bakes * counts.length)));
}

/** @returns the least share caught where the goal stands: a live release that answered 9 times as many requests */
function caught(bakes: number): number {
  const counts = [200, 500, 2000];
  const chance = chanceFrom(SEED + 1);
  let least = 1;
  const rows = [atTenth, atOnceLong, inSteps, atOnce].flatMap((plan) =>
    [0, 0.001, 0.005].map((fails) => [
      plan[0],
      `${fails * 100} %`,
      ...counts.map((requests) => {
        const count = aborts(bakes, plan[1](requests), { candidate: alike(0.05), live: alike(fails) }, limits, chance);
        if (plan === atTenth || plan === atOnceLong) least = Math.min(least, count / bakes);
        return percent(count, bakes);
      }),
    ]),
  );
  console.log(`\nBakes at 5 % errors caught, of ${bakes} each, by the candidate's requests:\n`);
  console.log(table(["traffic", "5xx of the live release", ...counts.map(String)], rows));
  return least;
}

/** @returns the most false aborts of any cell, as a share */
function latency(bakes: number): number {
  const counts = [100, 200, 400];
  const chance = chanceFrom(SEED + 2);
  let most = 0;
  const rows = Object.entries(latencies).flatMap(([name, takes]) =>
    [1, 2].map((times) => [
      name,
      times === 1 ? "as fast" : "twice as slow",
      ...[atTenth, atOnce].flatMap(([, steps]) =>
        counts.map((requests) => {
          const candidate = { fails: 0, takes: (by: typeof chance) => times * takes(by) };
          const count = aborts(
            bakes,
            steps(requests),
            { candidate, live: { fails: 0, takes } },
            limitsWithLatency,
            chance,
          );
          if (times === 1) most = Math.max(most, count / bakes);
          return percent(count, bakes);
        }),
      ),
    ]),
  );
  const head = [atTenth, atOnce].flatMap(([plan]) => counts.map((requests) => `${plan}: ${requests}`));
  console.log(`\nBakes aborted for latency, of ${bakes} each, max-latency-increase 50 %:\n`);
  console.log(table(["times", "candidate", ...head], rows));
  return most;
}

/** @returns how long the chance over a hundred hosts in three steps takes, in milliseconds: no signal is heard meanwhile */
function looks(): number[] {
  const tries = Array.from({ length: 300 }, (_, n) => ({ count: 1000, each: 0.1 + (n % 3) * 0.4 }));
  return Array.from({ length: 5 }, () => {
    const began = performance.now();
    chanceOfAtLeast(150_000, ...tries);
    return performance.now() - began;
  });
}

/** @returns whether the goals hold */
export async function trafficGate(bakes: number): Promise<boolean> {
  const share = (what: string, value: number, most: number): Goal => ({
    what,
    measured: `${(100 * value).toFixed(1)} %`,
    value,
    most,
    limit: `${100 * most} %`,
  });
  const goals = [
    share("healthy bakes aborted, 20 to 2,000 requests, in the worst row", falseAborts(bakes), 0.01),
    share(
      "bakes at 5 % errors missed, 200 requests or more, 9 times as many of the live release",
      1 - caught(bakes),
      0.05,
    ),
    share("healthy bakes aborted for latency, in the worst cell", latency(bakes), 0.01),
    timed("one look at a hundred hosts in three steps", looks(), 1000),
  ];
  console.log(`\n${goalTable(goals)}`);
  return goals.every(holds);
}
