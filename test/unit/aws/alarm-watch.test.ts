import { expect, test } from "@jest/globals";
import { watchAlarms } from "../../../src/aws/alarm-watch";
import { snapshotAlarms } from "../../../src/aws/alarms";
import type { Clock } from "../../../src/health/gate";
import { FakeAlarms } from "./cloudwatch";

const never = new AbortController().signal;

/** Alarms over time that passes only where the watch waits. */
class Bake extends FakeAlarms implements Clock {
  readonly alarm = { AlarmName: "web", StateValue: "OK" as "OK" | "ALARM" | "INSUFFICIENT_DATA", StateReason: "why" };
  readonly readAt: number[] = [];
  readonly #over = new AbortController();
  #now = 0;
  #end = 0;

  constructor(happens: (at: number, alarm: Bake["alarm"]) => void) {
    super();
    this.metric.push(this.alarm);
    const send = this.client.send;
    this.client.send = (command) => {
      this.readAt.push(this.#now);
      happens(this.#now, this.alarm);
      return send(command);
    };
  }

  now = () => this.#now;
  sleep = async (milliseconds: number, signal: AbortSignal) => {
    if (!signal.aborted && this.#now < this.#end && this.#now + milliseconds >= this.#end) {
      this.#now = this.#end;
      this.#over.abort();
    } else this.#now += milliseconds;
  };

  async watch(span: number) {
    const before = await snapshotAlarms(this, ["web"], never);
    this.readAt.length = 0;
    this.#end = span;
    return watchAlarms(this, { before, over: this.#over.signal }, this, never);
  }
}

const fails = (): never => {
  throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
};

test("alarms are looked at every 10 s, and last at the bake's end", async () => {
  const bake = new Bake(() => {});
  expect((await bake.watch(25_000)).status).toBe("healthy");
  expect(bake.readAt).toEqual([0, 10_000, 20_000, 25_000]);
});

test("a new alarm ends the bake at once, with AWS's reason", async () => {
  const bake = new Bake((at, alarm) => {
    if (at >= 20_000) alarm.StateValue = "ALARM";
  });
  expect(await bake.watch(300_000)).toEqual({
    status: "unhealthy",
    evidence: ['Alarm "web" went into ALARM: why.'],
    looks: 3,
  });
  expect(bake.now()).toBe(20_000);
});

test("an alarm that was red, recovers in the bake and goes red again ends it", async () => {
  const bake = new Bake((at, alarm) => {
    alarm.StateValue = at === 10_000 ? "OK" : "ALARM";
  });
  expect((await bake.watch(300_000)).status).toBe("unhealthy");
  expect(bake.now()).toBe(20_000);
});

test("data that is missing for a while is forgiven, at the end it is inconclusive", async () => {
  const gap = (from: number, to: number) =>
    new Bake((at, alarm) => {
      alarm.StateValue = at >= from && at < to ? "INSUFFICIENT_DATA" : "OK";
    });
  expect((await gap(10_000, 30_000).watch(60_000)).status).toBe("healthy");
  expect((await gap(50_000, 90_000).watch(60_000)).status).toBe("inconclusive");
});

test("a read that fails is made again, beyond the bake's end, too", async () => {
  const bake = new Bake((at) => (at >= 20_000 && at <= 30_000 ? fails() : undefined));
  expect((await bake.watch(30_000)).status).toBe("healthy");
  expect(bake.readAt).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
});

test("a minute without an answer is inconclusive, with the reason", async () => {
  const bake = new Bake((at) => (at > 0 ? fails() : undefined));
  expect(await bake.watch(600_000)).toEqual({
    status: "inconclusive",
    evidence: ["The alarms could not be read for 60 s: ThrottlingException: Rate exceeded."],
    looks: 1,
  });
  expect(bake.now()).toBe(60_000);
});

test("an abort is heard while a read hangs", async () => {
  const bake = new Bake(() => {});
  const before = await snapshotAlarms(bake, ["web"], never);
  bake.client.send = () => new Promise(() => {});
  const stop = new AbortController();
  const ended = watchAlarms(bake, { before, over: never }, bake, stop.signal);
  stop.abort(new Error("cancelled"));
  await expect(ended).rejects.toThrow("cancelled");
});
