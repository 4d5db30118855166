import { expect, test } from "@jest/globals";
import {
  allowances,
  FALSE_ABORTS,
  judgeTraffic,
  type StepSeen,
  stops,
  type TrafficLimits,
} from "../../../src/health/traffic-evidence";
import { aborts, alike, allAtOnce, chanceFrom, latencies, tenth, threeSteps } from "../../support/simulated-traffic";

const limits: TrafficLimits = { maxErrorRate: 0.01, maxLatencyIncrease: undefined, minRequests: 20 };
const atEnd = { errors: 0.01, latency: 0 };

/** A step in which both served so much: [requests, errors]. */
function step(candidate: readonly [number, number], live: readonly [number, number]): StepSeen {
  const readings = ([requests, errors]: readonly [number, number]) => [
    { requests: 500, errors: 7, meanTime: 10 },
    { requests: 500 + requests, errors: 7 + errors, meanTime: 10 },
  ];
  return { candidate: readings(candidate), live: readings(live) };
}

const cases = [
  ["one error of 20 may be chance", [step([20, 1], [180, 0])], "inconclusive", "too few to rule out chance"],
  ["both have as many", [step([200, 10], [1800, 90])], "healthy", "10 of 200 requests of the candidate"],
  ["the candidate has fewer", [step([200, 0], [1800, 90])], "healthy", ""],
  ["it has more, but within the limit", [step([20_000, 150], [180_000, 0])], "healthy", "150 of 20000"],
  ["a twentieth fails", [step([200, 10], [1800, 0])], "unhealthy", "5 % more, where 1 % is allowed"],
  ["a dead release", [step([20, 20], [180, 0])], "unhealthy", "100 % more"],
  ["19 requests, all of them failed", [step([19, 19], [180, 0])], "inconclusive", "the candidate had 19 requests"],
  ["nothing to compare with", [step([200, 10], [0, 0])], "inconclusive", "the live release had 0 requests"],
  ["few errors in each of three steps", [1, 2, 3].map(() => step([70, 3], [630, 1])), "unhealthy", "9 of 210"],
  [
    "an outage behind both while the candidate has half of the traffic",
    [step([100, 0], [900, 0]), step([500, 250], [500, 250])],
    "healthy",
    "250 of 600",
  ],
] as const;
test.each(cases)("of errors: %s", (_what, seen, status, says) => {
  const verdict = judgeTraffic(seen, limits, atEnd);
  expect(verdict.status).toBe(status);
  expect(verdict.evidence.join(" ")).toContain(says);
});

test("a proxy that began anew in the bake leaves it inconclusive", () => {
  const seen = step([200, 100], [1800, 0]);
  const anew = { ...seen, live: [...seen.live, { requests: 3, errors: 0, meanTime: 1 }] };
  expect(judgeTraffic([anew], limits, atEnd)).toEqual({
    status: "inconclusive",
    evidence: ["The proxy's counters went backwards: it began anew in the bake."],
  });
});

test.each([
  ["healthy", "fail", false],
  ["inconclusive", "pass", false],
  ["inconclusive", "fail", true],
  ["unhealthy", "pass", true],
] as const)("%s with on-inconclusive: %s stops the deploy: %s", (status, onInconclusive, stopped) => {
  expect(stops({ status, evidence: [] }, onInconclusive)).toBe(stopped);
});

test.each([
  ["errors alone", undefined, 1, 0],
  ["errors alone, in steps", undefined, 3, 57],
  ["errors and latency, in steps", 0.5, 3, 57],
] as const)(
  "what all looks may spend on %s sums up to the promise",
  (_what, maxLatencyIncrease, steps, looksBetween) => {
    const spent = allowances({ ...limits, maxLatencyIncrease }, { steps, looksBetween });
    const sum = steps * (spent.atEnd.errors + spent.atEnd.latency) + looksBetween * spent.between.errors;
    expect(sum).toBeCloseTo(FALSE_ABORTS, 12);
    expect(spent.between.latency).toBe(0);
  },
);

const plans = [
  ["a tenth of the traffic", tenth],
  ["10, 50 and 100 %", threeSteps],
  ["all at once", (requests: number) => allAtOnce(requests, 1)],
] as const;
test.each(plans)("with %s, at most 1 % of healthy bakes abort", (_what, steps) => {
  const chance = chanceFrom(1);
  for (const fails of [0, 0.001, 0.005, 0.02]) {
    const both = { candidate: alike(fails), live: alike(fails) };
    const counts = [20, 50, 200, 300].map((requests) => aborts(100, steps(requests), both, limits, chance));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(4); // of 400
  }
});

test.each([0, 0.001, 0.005])(
  "at least 95 %% of bakes at 5 %% errors are caught at a tenth, the live one at %d",
  (fails) => {
    const chance = chanceFrom(2);
    for (const requests of [200, 500])
      expect(
        aborts(400, tenth(requests), { candidate: alike(0.05), live: alike(fails) }, limits, chance),
      ).toBeGreaterThanOrEqual(380);
  },
);

test("a release that fails all requests does not last to the step's end", () => {
  const { between } = allowances(limits, { steps: 3, looksBetween: 57 });
  expect(judgeTraffic([step([20, 20], [180, 0])], limits, between).status).toBe("unhealthy");
});

const slow = { ...limits, maxLatencyIncrease: 0.5 };
const times = Object.entries(latencies);
test.each(times)("with %s times, a release as fast as the live one is not taken for slow", (_what, takes) => {
  const chance = chanceFrom(3);
  const both = { candidate: { fails: 0, takes }, live: { fails: 0, takes } };
  for (const [, steps] of plans) expect(aborts(30, steps(400), both, slow, chance)).toBe(0);
});

test.each(times.slice(0, 2))(
  "with %s times, a release twice as slow goes back at a tenth of the traffic",
  (_what, takes) => {
    const candidate = { fails: 0, takes: (by: () => number) => 2 * takes(by) };
    expect(aborts(30, tenth(400), { candidate, live: { fails: 0, takes } }, slow, chanceFrom(4))).toBe(30);
  },
);

/** Readings a second apart, with 20 requests of this many milliseconds in each; no 512 requests, so the mean is plain. */
function seconds(...means: readonly number[]) {
  let [requests, sum] = [0, 0];
  const readings = means.map((mean) => {
    requests += 20;
    sum += 20 * mean;
    return { requests, errors: 0, meanTime: sum / requests };
  });
  return [{ requests: 0, errors: 0, meanTime: 0 }, ...readings];
}

test.each([
  ["slower in every second", [100, 100, 100, 100, 100, 100, 100, 100], "unhealthy", "in the median one by 100 %"],
  ["slower, but within the limit", [70, 70, 70, 70, 70, 70, 70, 70], "healthy", "slower in 8 of 8 windows"],
  ["much slower in all seconds but two", [500, 500, 500, 40, 500, 500, 500, 40], "inconclusive", "to rule out chance"],
  ["very slow in one second", [9000, 40, 40, 40, 40, 40, 40, 40], "healthy", "slower in 1 of 8 windows"],
] as const)("a candidate that is %s is judged by its windows", (_what, means, status, says) => {
  const seen = { candidate: seconds(...means), live: seconds(50, 50, 50, 50, 50, 50, 50, 50) };
  const verdict = judgeTraffic([seen], slow, { errors: 0.005, latency: 0.005 });
  expect(verdict.status).toBe(status);
  expect(verdict.evidence).toContainEqual(expect.stringContaining(says));
});

test("latency in too few windows is inconclusive, and says how many it takes", () => {
  const verdict = judgeTraffic([step([200, 0], [1800, 0])], slow, { errors: 0.005, latency: 0.005 });
  expect(verdict.status).toBe("inconclusive");
  expect(verdict.evidence[0]).toBe("Latency: 1 windows with 10 requests of each release, at least 8 are needed.");
});

test("windows in which the live release had next to no traffic say nothing about latency", () => {
  const readings = (each: number, meanTime: number) =>
    Array.from({ length: 20 }, (_, second) => ({ requests: each * second, errors: 0, meanTime }));
  const seen = { candidate: readings(90, 100), live: readings(10, 20) };
  expect(judgeTraffic([seen], slow, { errors: 0.005, latency: 0.005 }).status).toBe("inconclusive");
});
