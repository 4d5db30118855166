import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  deploy,
  deployed,
  freshHost,
  host,
  lightLoad,
  noneFailed,
  oneReleaseByItself,
  other,
  standing,
  start,
} from "../support/bad-day";
import { delayed } from "../support/delayed";
import { Fault, findProxy, killProxy } from "../support/faults";
import { type Asked, Load } from "../support/load";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

const tenthFirst = { "traffic-steps": "10, 100", "step-duration": "5s" };

/** Enough for a tenth of it to say something, and what became of each request. */
function traffic(): { load: Load; asked: Asked[] } {
  const asked: Asked[] = [];
  const load = new Load(host.url, { keepAlive: 6, fresh: 2, pause: 15, each: (one) => asked.push(one) });
  return { load, asked };
}

test("a release of which a twentieth of the requests fail goes back at 10 % of the traffic", async () => {
  const { load, asked } = traffic();
  await load.answeredBy(live);
  const enough = { ...tenthFirst, "step-duration": "1m" }; // it ends when enough was seen, on a busy machine later
  const { outputs, log, summary } = await deploy("errors5", enough);
  const { byRelease, failed } = await load.stop();
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "traffic" });
  expect(outputs.reason).toMatch(
    /^Stopped at 10 % of the traffic, after \d+ requests of the candidate\. 5xx: .* more, where 1 % is allowed\. echo\d\S* still serves\.$/,
  );
  expect(log).toMatch(/^10 % of the traffic goes to errors5\S*, the rest to echo\d/m);
  expect(log).not.toContain("::group::bake");
  expect(summary).toContain("at 10 % of the traffic: 5xx:");
  const got = byRelease.errors5 ?? 0;
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThanOrEqual(got / 20);
  expect(asked.filter(({ failure }) => failure).every(({ failure }) => failure === "status 500 from errors5")).toBe(
    true,
  );
  expect(longestSilence(asked, live)).toBeLessThan(2_000);
  expect(await oneReleaseByItself()).toBe(live);
}, 90_000);

/** Milliseconds in which a release answered nothing, while it was asked. */
function longestSilence(asked: readonly Asked[], release: string): number {
  const answers = asked.filter((one) => one.release === release).map(({ to }) => to);
  return Math.max(...answers.map((at, n) => at - (answers[n - 1] ?? at)));
}

test("a release that takes twice as long goes back at 10 % of the traffic, with max-latency-increase alone", async () => {
  const takes = (milliseconds: number) => ({ command: delayed, env: `DELAY=${milliseconds}` });
  await deployed("echo1", takes(40));
  const { load } = traffic();
  const slow = { ...takes(80), ...tenthFirst, "step-duration": "20s", version: "slow" };
  const { outputs } = await deploy("echo2", { ...slow, "max-latency-increase": "50%" });
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "traffic" });
  expect(outputs.reason).toMatch(/^Stopped at 10 % .* Latency: \d+ ms against \d+ ms of the live release; slower in /);
  await deployed("echo2", { ...slow, "step-duration": "2s" });
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe("slow");
}, 120_000);

test("a good release gets the share of each step, then all, and no request fails", async () => {
  const { load, asked } = traffic();
  await load.answeredBy(live);
  const next = other(live);
  const step = start(next, { "traffic-steps": "10, 50, 100", "step-duration": "6s", "bake-time": "2s" });
  await step.says(/^10 % of the traffic goes to /m);
  const begun = Date.now();
  await step.reaches("shift 50 %25"); // as a workflow command writes it
  const halfway = Date.now();
  await step.reaches("shift");
  const last = Date.now();
  const { outputs, log } = await step.ended;
  await noneFailed(load);
  expect(outputs.status).toBe("deployed");
  for (const share of [10, 50, 100])
    expect(log).toContain(`traffic, at ${share} % of the traffic: healthy. 5xx: 0 of `);
  const share = (from: number, to: number) => {
    const between = asked.filter((one) => one.from >= from && one.to <= to);
    return between.filter(({ release }) => release === next).length / between.length;
  };
  expect(share(begun, halfway)).toBeGreaterThan(0.05);
  expect(share(begun, halfway)).toBeLessThan(0.15);
  expect(share(halfway + 500, last)).toBeGreaterThan(0.4);
  expect(share(halfway + 500, last)).toBeLessThan(0.6);
  expect(await oneReleaseByItself()).toBe(next);
}, 90_000);

test("without traffic nothing can be said: on-inconclusive decides", async () => {
  const { outputs, log } = await deploy(other(live), {
    ...tenthFirst,
    "step-duration": "1s",
    "on-inconclusive": "fail",
  });
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "traffic" });
  expect(outputs.reason).toContain("the candidate had 0 requests, at least 20 are needed.");
  expect(log).not.toContain("::group::bake");
  expect(await oneReleaseByItself()).toBe(live);
  const passed = await deployed(other(live), { ...tenthFirst, "step-duration": "1s" });
  expect(passed.log).toMatch(/^traffic, at 10 % .*: inconclusive\. .* It passes \(on-inconclusive: pass\)\.$/m);
}, 90_000);

test("min-requests and max-error-rate say what is enough to go back for", async () => {
  const { load } = traffic();
  const few = await deploy("errors5", { ...tenthFirst, "min-requests": "1000000" });
  expect(few.outputs.status).toBe("deployed");
  await deployed(other(live));
  const tolerant = await deploy("errors5", { ...tenthFirst, "step-duration": "15s", "max-error-rate": "10%" });
  expect(tolerant.outputs.status).toBe("deployed");
  expect(tolerant.log).toMatch(/^traffic, at 10 % of the traffic: healthy\. 5xx: [1-9]\d* of /m);
  await load.stop();
  await deployed("echo1");
}, 120_000);

test("a proxy that is killed in a step sends all to the live release, and the deploy goes back", async () => {
  const kill = await Fault.primed(host, killProxy(), findProxy());
  const step = start(other(live), { ...tenthFirst, "step-duration": "2m" });
  await step.says(/^10 % of the traffic goes to /m);
  await kill.strike();
  const { outputs } = await step.ended;
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "shift" });
  expect(outputs.reason).toContain("The proxy has forgotten");
  expect(Number(outputs.duration)).toBeLessThan(60);
  expect(await oneReleaseByItself()).toBe(live);
}, 120_000);

test("a runner that is killed in a step leaves the live release with all of the traffic, and no request fails", async () => {
  const load = lightLoad();
  const step = start(other(live), { ...tenthFirst, "step-duration": "2m" });
  await step.says(/^10 % of the traffic goes to /m);
  await load.answeredBy(other(live));
  step.kill("SIGKILL");
  await step.ended;
  expect(await oneReleaseByItself()).toBe(live);
  await noneFailed(load);
}, 90_000);

test("a host's first deploy moves all traffic at once, and says why", async () => {
  await freshHost();
  const { log } = await deployed("echo1", tenthFirst);
  expect(log).toContain("All of its traffic will move at once: nothing serves there yet.");
  expect(log).not.toMatch(/shift 10 %|^traffic, /m);
}, 90_000);
