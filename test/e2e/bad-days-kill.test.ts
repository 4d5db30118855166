import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  deployed,
  early,
  freshHost,
  inputs,
  lightLoad,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  other,
  phases,
  standing,
  startFor,
} from "../support/bad-day";
import { startPost } from "../support/runner";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

test.each(phases)(
  "a runner killed in %s leaves one release behind, and the next deploy works at once",
  async (phase) => {
    const load = lightLoad();
    const step = await startFor(phase, other(live));
    await step.reaches(phase);
    step.kill("SIGKILL");
    await step.ended;
    const now = await oneReleaseByItself();
    if (early(phase)) expect(now).toBe(live);
    else if (phase === "retire") expect(now).toBe(other(live));
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
