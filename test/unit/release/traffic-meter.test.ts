import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { READING_INTERVAL, TrafficMeter } from "../../../src/release/traffic-meter";
import type { Transaction } from "../../../src/release/transaction";

/** A proxy whose live release has answered so many requests, and a clock that somebody else moves. */
class Host {
  requests = 0;
  answers = true;
  readings = 0;
  readonly stop = new AbortController();
  #now = 0;
  #wake = () => {};

  meter(past: number): TrafficMeter {
    const counters = async () => {
      if (!this.answers) throw new Error("it is being reloaded");
      this.readings += 1;
      const live = { requests: this.requests, errors: 0, meanTime: 5, maint: false };
      return { blue: live, green: { ...live, requests: 7, maint: true } };
    };
    const sleep = (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        this.#wake = () => {
          this.#now += milliseconds;
          resolve();
        };
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const tx = {
      request: { app: "web" },
      candidate: { slot: "green" },
      host: { proxy: () => ({ counters }) },
      clock: { now: () => this.#now, sleep },
      stop: { signal: this.stop.signal },
    };
    return new TrafficMeter(tx as unknown as Transaction, "blue", past);
  }

  /** The live release answers so many, and then it is read again. */
  async serve(requests: number): Promise<void> {
    await turn();
    this.requests += requests;
    this.#wake();
    await turn();
  }
}

const requests = (meter: TrafficMeter) => meter.before().map((live) => live.requests);

test("reads what the live release serves alone, until the traffic moves", async () => {
  const host = new Host();
  const meter = host.meter(60_000);
  await host.serve(10);
  await host.serve(20);
  expect(requests(meter)).toEqual([0, 10, 30]);
  await host.serve(40);
  expect(requests(meter)).toEqual([0, 10, 30]);
  expect(host.readings).toBe(3);
});

test("what is older than the bake is long does not count", async () => {
  const host = new Host();
  const meter = host.meter(2 * READING_INTERVAL);
  for (const served of [1, 2, 3, 4]) await host.serve(served);
  expect(requests(meter)).toEqual([3, 6, 10]);
});

test("a reload before the traffic moves begins anew, and a reading that fails meanwhile is none", async () => {
  const host = new Host();
  const meter = host.meter(60_000);
  await host.serve(500);
  host.answers = false;
  await host.serve(-500);
  host.answers = true;
  await host.serve(5);
  await host.serve(5);
  expect(requests(meter)).toEqual([5, 10]);
});

test("a deploy that stops before its shift ends the reading", async () => {
  const host = new Host();
  host.meter(60_000);
  await host.serve(1);
  host.stop.abort(new Error("a gate said no"));
  await turn();
  await host.serve(1);
  expect(host.readings).toBe(2);
});

test("reads both releases at once, and whether the proxy still knows the candidate", async () => {
  const host = new Host();
  host.requests = 3;
  expect(await host.meter(0).read()).toMatchObject({
    candidate: { requests: 7 },
    live: { requests: 3 },
    forgotten: true,
  });
  host.stop.abort();
});
