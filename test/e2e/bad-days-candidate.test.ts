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
import type { Inputs } from "../support/runner";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

/** what it does, image, inputs, the gate, what the reason says */
const bad: [string, string, Inputs, string, RegExp][] = [
  ["exits at once", "exits", { "start-timeout": "2m" }, "start", /ended with exit status 1\. echo\S+ still serves\./],
  [
    "never listens",
    "silent",
    { "start-timeout": "2s" },
    "probe",
    /not become healthy within 2 s; last seen: .*refused/i,
  ],
  [
    "listens on another port",
    "otherport",
    { "start-timeout": "2s" },
    "probe",
    /port 5000: .*refused.* Nothing was shifted/i,
  ],
  ["answers 500", "broken", { "start-timeout": "2s" }, "probe", /last seen: status 500.*echo\S+ still serves\./],
  [
    "takes connections and never answers",
    "hangs",
    { "start-timeout": "2s", "health-timeout": "1s" },
    "probe",
    /last seen: no answer within 1 s/,
  ],
  [
    "fails in pre-deploy",
    "echo1",
    { "pre-deploy": "sh -c 'echo no such table; exit 7'" },
    "pre-deploy",
    /exit status 7/,
  ],
  [
    "does not end its pre-deploy",
    "echo1",
    { "pre-deploy": "sleep 600", "pre-deploy-timeout": "1s" },
    "pre-deploy",
    /did not end within 1 s \(pre-deploy-timeout\)/,
  ],
  [
    "ignores SIGTERM on the way back",
    "ignoresterm",
    { "verify-command": "false", "stop-timeout": "1s" },
    "verify-command",
    /exit status 1/,
  ],
];
test.each(bad)(
  "a candidate that %s is taken back without a failed request",
  async (_, image, more, gate, reason) => {
    const load = lightLoad();
    const ended = await deploy(image, { version: "3", ...more });
    expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": gate });
    expect(ended.outputs.reason).toMatch(reason);
    expect(ended.code).toBe(1);
    await noneFailed(load);
    expect(await oneReleaseByItself()).toBe(live);
  },
  90_000,
);

/** Good until it has the traffic: what it received itself may fail, and nothing else. */
const late: [string, string, Inputs, string, RegExp][] = [
  ["turns bad", "turnsbad", {}, "bake", /turned bad under traffic: 3 wrong answers in a row; last seen: status 500/],
  ["ends by itself", "crashes5", {}, "start", /ended with exit status 3\. echo\S+ still serves\./],
  ["is killed for want of memory", "oom", { memory: "128m" }, "start", /was killed: out of memory \(memory\)/],
];
test.each(late)(
  "a candidate that %s after the shift is taken back",
  async (_, image, more, gate, reason) => {
    const load = lightLoad();
    const ended = await deploy(image, { version: "3", "bake-time": "60s", ...more });
    const { failures } = await load.stop();
    expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": gate });
    expect(ended.outputs.reason).toMatch(reason);
    expect(Number(ended.outputs.duration)).toBeLessThan(50); // noticed at once, not at the bake's end
    expect(failures.filter((failure) => !/ (status 50[023] from (3|\?)|socket hang up)$/.test(failure))).toEqual([]);
    expect(await oneReleaseByItself()).toBe(live);
  },
  120_000,
);

test("requests of 3 s that the candidate has in hand when its gate fails are finished", async () => {
  const step = start(other(live), { "verify-command": "sleep 2; false" });
  await step.says(/^All traffic goes to /m);
  const slow = await Promise.all(Array.from({ length: 5 }, () => fetch(`${host.url}/slow?ms=3000`)));
  expect(slow.map((answer) => [answer.status, answer.headers.get("x-release")])).toEqual(
    Array(5).fill([200, other(live)]),
  );
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "verify-command" });
  expect(await oneReleaseByItself()).toBe(live);
}, 60_000);

test("a live release that ignores SIGTERM is replaced without a failed request", async () => {
  await deployed("ignoresterm", { version: "3", "stop-timeout": "1s" });
  const load = lightLoad();
  await deployed("echo1");
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe("echo1");
}, 60_000);

test("a candidate that takes 20 s to start is waited for", async () => {
  const load = lightLoad();
  await deployed("slow20", { version: "3", "start-timeout": "60s" });
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe("3");
}, 90_000);

test("what a hostile container prints can't speak to the runner, nor draw in the summary", async () => {
  const { log, outputs, summary } = await deploy("chatty", { version: "3" });
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "start" });
  const commands = log.split("\n").filter((line) => line.trimStart().startsWith("::"));
  const ours =
    /^::(group::[a-z-]+|endgroup::|debug::\d{4}-.*|add-mask::.*|error title=Deploy rolled back%3A start::.*)$/;
  expect(commands.filter((line) => !ours.test(line))).toEqual([]);
  expect(commands).not.toContain("::add-mask::a");
  for (const text of [log, summary]) {
    expect(text).not.toContain("##[");
    expect([...text.matchAll(/[^\P{Cc}\n]|\p{Cf}/gu)]).toEqual([]);
  }
  expect(log.match(/^::error .*/gm)).toHaveLength(1);
  expect(summary).toContain("text &#35;&#35; &#91;group&#93;in the middle");
  expect(summary).toContain("&#60;script&#62;alert&#40;1&#41;&#60;/script&#62;");
  expect(summary).not.toMatch(/<script|^\s*(```|\| a \| table)/m);
  expect(await oneReleaseByItself()).toBe(live);
}, 60_000);
