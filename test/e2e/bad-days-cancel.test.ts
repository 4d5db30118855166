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
  sameStory,
  standing,
  start,
  startFor,
} from "../support/bad-day";
import { phases } from "../support/phases";
import { startPost } from "../support/runner";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

test.each(phases)(
  "a deploy cancelled in %s ends with one release, says so, and the next deploy works",
  async (phase) => {
    const load = lightLoad();
    const step = await startFor(phase, other(live));
    await step.reaches(phase);
    step.kill("SIGINT");
    const ended = await step.ended;
    const now = await oneReleaseByItself();
    sameStory(ended, live, other(live), now);
    if (early(phase)) {
      expect(now).toBe(live);
      expect(ended.log).toContain("::error title=Deploy cancelled in ");
      expect(ended.outputs.reason).toContain("the job was cancelled (SIGINT)");
      expect(ended.state.settled).toBe("true");
    }
    await deployed(other(now));
    await noneFailed(load);
    expect(await oneRelease()).toBe(other(now));
  },
  120_000,
);

test("a cancelled deploy that has settled leaves nothing for post to say", async () => {
  const step = await startFor("bake", other(live));
  await step.reaches("bake");
  step.kill("SIGINT");
  const main = await step.ended;
  expect(main.log).toMatch(new RegExp(`: ${live}\\S* serves\\.`));
  const post = await startPost("deploy-ec2", inputs(other(live)), main.state).ended;
  expect({ code: post.code, said: said(post.log) }).toEqual({ code: 0, said: [] });
  expect(await oneReleaseByItself()).toBe(live);
}, 90_000);

test("where GitHub's patience ends before the undo does, the host goes on and post says what it runs", async () => {
  const load = lightLoad();
  const step = start("ignoresterm", { "bake-time": "30s", "stop-timeout": "8s" });
  await step.reaches("bake");
  step.kill("SIGINT");
  await step.reaches("abort");
  step.kill("SIGTERM");
  const main = await step.ended;
  expect(main.code).toBe(1);
  expect(main.log).toContain("that settles by itself, and the post step says what it runs.");
  const post = await startPost("deploy-ec2", inputs("ignoresterm"), main.state).ended;
  expect(post.log).toMatch(new RegExp(`runs ${live}\\S* \\(sha256:`));
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe(live);
}, 90_000);

const said = (log: string): string[] =>
  log.split("\n").filter((line) => line !== "" && !/^::(add-mask|debug)::/.test(line));
