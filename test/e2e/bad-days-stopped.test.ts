import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  deployed,
  early,
  freshHost,
  host,
  inputs,
  lightLoad,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  other,
  sameStory,
  standing,
  startFor,
} from "../support/bad-day";
import { Fault, killGuard } from "../support/faults";
import { judge } from "../support/judge";
import { until } from "../support/outside";
import type { Phase } from "../support/phases";
import { startPost } from "../support/runner";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

const stopped: Phase[] = ["preflight", "start", "shift", "bake", "commit"];
test.each(stopped)(
  "a runner stopped in %s and continued past its lease changes nothing any more",
  async (phase) => {
    const load = lightLoad();
    const step = await startFor(phase, other(live));
    await step.reaches(phase);
    step.kill("SIGSTOP");
    const then = await oneReleaseByItself();
    step.kill("SIGCONT");
    const ended = await step.ended;
    const now = await oneReleaseByItself();
    expect(now).toBe(then);
    if (early(phase)) expect(now).toBe(live);
    sameStory(ended, live, other(live), now);
    await deployed(other(now));
    await noneFailed(load);
    expect(await oneRelease()).toBe(other(now));
  },
  120_000,
);

test("after a killed main, post asks the host and says what it runs", async () => {
  const step = await startFor("bake", other(live));
  await step.reaches("bake");
  step.kill("SIGKILL");
  const { state } = await step.ended;
  const post = await startPost("deploy-ec2", inputs(other(live)), state).ended;
  expect(post.code).toBe(0);
  expect(post.log).toMatch(new RegExp(`runs ${live}\\S* \\(sha256:[0-9a-f]{64}\\) of "web"\\.`));
  expect(await oneReleaseByItself()).toBe(live);
}, 90_000);

/** Nobody is left to take it back: the journal stays, and traffic goes to one release, whichever. */
async function killBoth(): Promise<Readonly<Record<string, string>>> {
  const kill = await Fault.primed(host, killGuard);
  const step = await startFor("bake", other(live));
  await step.reaches("bake");
  step.kill("SIGSTOP"); // it must not bring another guard
  await kill.strike();
  step.kill("SIGKILL");
  const { state } = await step.ended;
  await until("guard and runner are gone", async () => (await judge(host)).busy.join() === "journal");
  return state;
}

test("guard and runner killed together: the next run says so, takes it back, and goes on", async () => {
  const load = lightLoad();
  await killBoth();
  const { log, outputs } = await deployed(other(live));
  expect(log).toContain("An earlier deploy had died here; the guard took it back.");
  expect(outputs["previous-release"]).toMatch(new RegExp(`^${live}`));
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe(other(live));
}, 90_000);

test("guard and runner killed together: post takes it back and says what the host runs", async () => {
  const load = lightLoad();
  const state = await killBoth();
  const post = await startPost("deploy-ec2", inputs(other(live)), state).ended;
  expect(post.log).toContain("An earlier deploy had died here; the guard took it back.");
  expect(post.log).toMatch(new RegExp(`runs ${live}\\S* \\(sha256:`));
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe(live);
}, 90_000);
