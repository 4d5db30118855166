import { expect, test } from "@jest/globals";
import type { Counters } from "../../../src/health/traffic-counters";
import { GateError } from "../../../src/release/failure";
import type { Evidence } from "../../../src/release/outcome";
import type { RolloutOptions } from "../../../src/release/request";
import { looksOf, type Step, TrafficGate } from "../../../src/release/traffic-gate";
import type { Reading, TrafficMeter } from "../../../src/release/traffic-meter";

/** What one release is asked and fails: a second; once they are set, time alone moves them. */
interface Served {
  readonly perSecond: number;
  readonly fails: number;
}

const options: RolloutOptions = {
  steps: [10, 100],
  stepDuration: 10_000,
  limits: { maxErrorRate: 0.01, maxLatencyIncrease: undefined, minRequests: 20 },
  onInconclusive: "pass",
};

/** Time passes only where the gate waits; the proxy's counters follow it. */
class Deploy {
  time = 0;
  readonly lines: string[] = [];
  readonly evidence: Evidence[] = [];
  readonly #gate: TrafficGate;
  hold = async () => {};

  constructor(given: Partial<RolloutOptions> = {}) {
    const clock = {
      now: () => this.time,
      sleep: async (milliseconds: number) => {
        this.time += milliseconds;
      },
    };
    const log = { info: (line: string) => void this.lines.push(line) };
    const around = { clock, log, signal: new AbortController().signal, evidence: this.evidence };
    this.#gate = new TrafficGate({ ...options, ...given }, looksOf([10_000, 10_000]), around);
  }

  counted({ perSecond, fails }: Served, from = 0): Counters {
    const requests = Math.floor((perSecond * (this.time - from)) / 1000);
    return { requests: 1000 + requests, errors: 50 + Math.floor(requests * fails), meanTime: 10 };
  }

  host(candidate: Served, live: Served, more: Partial<TrafficMeter> = {}): TrafficMeter {
    const read = async (): Promise<Reading> => ({
      candidate: this.counted(candidate),
      live: this.counted(live),
      forgotten: false,
    });
    return { read, before: () => [], lost: () => new Error("it is forgotten"), ...more } as TrafficMeter;
  }

  watch(meters: readonly TrafficMeter[], given: Partial<Step> = {}): Promise<void> {
    const step = { share: 10, span: 10_000, meters, still: "r1 still serves.", hold: () => this.hold(), ...given };
    return this.#gate.watch(step);
  }
}

const live: Served = { perSecond: 180, fails: 0 };
const fine: Served = { perSecond: 20, fails: 0 };
const bad: Served = { perSecond: 20, fails: 0.05 };
const quiet: Served = { perSecond: 0, fails: 0 };

test("a candidate that fails a twentieth of its requests stops at its share, and the sentence says what it got", async () => {
  const deploy = new Deploy();
  const stopped = deploy.watch([deploy.host(bad, live)]);
  await expect(stopped).rejects.toThrow(
    /^Stopped at 10 % of the traffic, after \d+ requests of the candidate\. 5xx: \d+ of \d+ requests of the candidate, 0 of \d+ requests of the live release: 5 % more, where 1 % is allowed\. r1 still serves\.$/,
  );
  await expect(stopped).rejects.toMatchObject({ gate: "traffic" });
  expect(deploy.evidence).toMatchObject([{ gate: "traffic", verdict: "unhealthy" }]);
});

test("a release that fails all it is asked is stopped long before its step's end", async () => {
  const deploy = new Deploy();
  await expect(deploy.watch([deploy.host({ perSecond: 20, fails: 1 }, live)])).rejects.toThrow(GateError);
  expect(deploy.time).toBeLessThan(3_000);
});

test("a good one passes to the end of each step, and what was seen is told", async () => {
  const deploy = new Deploy();
  const meter = deploy.host(fine, live);
  await deploy.watch([meter]);
  expect(deploy.time).toBe(10_000);
  expect(deploy.lines).toEqual([
    "traffic, at 10 % of the traffic: healthy. 5xx: 0 of 200 requests of the candidate, 0 of 1800 requests of the live release.",
  ]);
  expect(deploy.evidence).toMatchObject([
    { gate: "traffic", verdict: "healthy", probes: 21, expected: "at most 1 % more 5xx than the live release" },
  ]);
});

test("at all of the traffic it is compared with what the live release served alone", async () => {
  const alone = (errors: number): Counters[] => [
    { requests: 0, errors: 0, meanTime: 1 },
    { requests: 1800, errors, meanTime: 1 },
  ];
  const bake = (errors: number) => {
    const deploy = new Deploy();
    return deploy.watch([deploy.host(bad, quiet, { before: () => alone(errors) })], { share: 100 });
  };
  await expect(bake(90)).resolves.toBeUndefined(); // it failed as often
  await expect(bake(0)).rejects.toThrow("Stopped at 100 % of the traffic, after ");
});

test("no traffic says nothing: that passes or fails, as on-inconclusive says", async () => {
  const passes = new Deploy();
  await passes.watch([passes.host(quiet, live)]);
  expect(passes.lines.join()).toMatch(
    /: inconclusive\. .*at least 20 are needed\. It passes \(on-inconclusive: pass\)\.$/,
  );
  expect(passes.evidence).toMatchObject([{ verdict: "inconclusive" }]);
  const fails = new Deploy({ onInconclusive: "fail" });
  await expect(fails.watch([fails.host(quiet, live)])).rejects.toThrow(
    "after 0 requests of the candidate. Nothing can be said, and on-inconclusive is fail.",
  );
});

test("hosts are judged together: what each has too little of, they have enough of", async () => {
  const one = { perSecond: 1.2, fails: 0 };
  const alone = new Deploy({ onInconclusive: "fail" });
  await expect(alone.watch([alone.host(one, live)])).rejects.toThrow("12 requests, at least 20 are needed");
  const both = new Deploy({ onInconclusive: "fail" });
  await both.watch([both.host(one, live), both.host(one, live)]);
  expect(both.lines.join()).toContain("healthy. 5xx: 0 of 24 requests of the candidate, 0 of 3600");
});

test("what a step saw counts in the next one", async () => {
  const deploy = new Deploy({ onInconclusive: "fail" });
  const meter = deploy.host(fine, live);
  await deploy.watch([meter]);
  await deploy.watch([meter], { share: 50 });
  expect(deploy.lines[1]).toContain("5xx: 0 of 400 requests of the candidate, 0 of 3600");
});

test("a proxy that does not answer at the end leaves it inconclusive, and says why; one time before is no matter", async () => {
  const unreadFrom = (from: number, to: number) => {
    const deploy = new Deploy({ onInconclusive: "fail" });
    const meter = deploy.host(fine, live);
    const read = () =>
      deploy.time >= from && deploy.time <= to ? Promise.reject(new Error("no such socket")) : meter.read();
    return deploy.watch([{ ...meter, read } as TrafficMeter]);
  };
  await expect(unreadFrom(2_000, 3_000)).resolves.toBeUndefined();
  await expect(unreadFrom(9_000, 10_000)).rejects.toThrow("The proxy's counters could not be read: no such socket.");
});

test("what was seen of a bad candidate counts, though one of two proxies does not answer at the end", async () => {
  const deploy = new Deploy();
  const subtle = { perSecond: 10, fails: 0.03 }; // three errors: only a step's end takes them for more than chance
  const meter = deploy.host(subtle, live);
  const other = deploy.host({ perSecond: 10, fails: 0 }, live);
  const read = () => (deploy.time >= 9_500 ? Promise.reject(new Error("no such socket")) : other.read());
  const unread = { ...other, read } as TrafficMeter;
  await expect(deploy.watch([meter, unread])).rejects.toThrow("Stopped at 10 % of the traffic");
  expect(deploy.time).toBe(10_000);
});

test("a proxy that forgot the candidate ends a step at once; once all traffic has moved the bake asks who answers", async () => {
  const deploy = new Deploy();
  const meter = deploy.host(fine, live);
  const forgets = async () => ({ ...(await meter.read()), forgotten: deploy.time >= 2_000 });
  const forgetful = { ...meter, read: forgets } as TrafficMeter;
  await expect(deploy.watch([forgetful])).rejects.toThrow("it is forgotten");
  expect(deploy.time).toBe(2_000);
  await expect(deploy.watch([forgetful], { share: 100 })).resolves.toBeUndefined();
});

test.each([undefined, 0.5])(
  "a proxy that counts anew is noticed at the step's end, however far it has come by then (max-latency-increase %s)",
  async (maxLatencyIncrease) => {
    const deploy = new Deploy({ onInconclusive: "fail", limits: { ...options.limits, maxLatencyIncrease } });
    const meter = deploy.host(fine, live);
    const anew = (at: number): Counters => ({ requests: at, errors: 0, meanTime: 10 }); // 1,000 a second: more than before
    const read = async () => {
      const reading = await meter.read();
      return deploy.time < 5_000 ? reading : { ...reading, candidate: anew(deploy.time - 5_000) };
    };
    const wrong = "The proxy's counters went backwards: it began anew in the bake.";
    await expect(deploy.watch([{ ...meter, read } as TrafficMeter])).rejects.toThrow(wrong);
    expect(deploy.time).toBe(10_000);
  },
);

test("a wire that was cut is not taken for a bad candidate", async () => {
  const deploy = new Deploy();
  deploy.hold = () => Promise.reject(new Error("the guard is lost"));
  await expect(deploy.watch([deploy.host(bad, live)])).rejects.toThrow("the guard is lost");
});
