import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { docker } from "../bed/run";
import { bed, deployed, freshHost, host, oneReleaseByItself, start } from "../support/bad-day";
import { cutWire, heal, killGuard } from "../support/faults";
import { inBox, lookAt, until } from "../support/outside";
import { historyOf, rollbackInputs, There } from "../support/rollback";
import { startPost } from "../support/runner";

const there = new There(bed, host);
const quick = { lease: "5s", "connect-timeout": "3s" };

beforeAll(async () => {
  await freshHost();
  await deployed("echo1");
  await deployed("echo2");
}, 120_000);
beforeEach(async () => {
  await heal(host);
  if ((await lookAt(host)).current !== "echo2") await there.wentBack({ to: "echo2" });
}, 60_000);
afterAll(freshHost, 60_000);

/** The release that was to come back is at rest again, where it was. */
async function asBefore(): Promise<void> {
  expect(await oneReleaseByItself()).toBe("echo2");
  expect((await lookAt(host)).containers).toContain("web-echo1 exited no");
  expect((await historyOf(host)).at(-1)).toMatchObject({ release: "echo1", result: "failed", previous: "echo2" });
}

const faults: readonly [what: string, strike: (child: { kill(signal: NodeJS.Signals): void }) => Promise<unknown>][] = [
  ["its runner is killed", async (step) => step.kill("SIGKILL")],
  ["its guard is killed", () => inBox(host, "bash", "-c", killGuard)],
  ["the wire is cut without a word", () => inBox(host, "bash", "-c", cutWire)],
  ["the job is cancelled", async (step) => step.kill("SIGINT")],
];

test.each(faults)(
  "the host is as before when %s in the bake",
  async (_what, strike) => {
    const step = there.startBack({ ...quick, "bake-time": "30s" });
    await step.reaches("bake");
    expect((await lookAt(host)).serves).toBe("echo1");
    await strike(step);
    await until("the release before serves again", async () => (await lookAt(host)).serves === "echo2");
    await heal(host);
    const ended = await step.ended;
    expect(ended.outputs.status ?? "rolled-back").toBe("rolled-back");
    await asBefore();
  },
  120_000,
);

test("the host is as before when it loses its power in the bake", async () => {
  const step = there.startBack({ ...quick, "bake-time": "60s" });
  await step.reaches("bake");
  step.kill("SIGSTOP");
  await docker(["restart", "--time", "0", host.container]);
  step.kill("SIGKILL");
  await step.ended;
  await until("Docker answers again", async () =>
    inBox(host, "docker", "info").then(
      () => true,
      () => false,
    ),
  );
  const saved = { begun: "true", transaction: "nobody-1-000000" };
  const post = startPost("rollback-ec2", rollbackInputs(bed, host, quick), saved);
  expect((await post.ended).log).toMatch(/runs echo2 \(sha256:[0-9a-f]{64}\) of "web"\./);
  await asBefore();
}, 180_000);

test("a rollback that waited for a deploy does not go back to what that deploy replaced, unless it is named", async () => {
  const step = start("echo1", { version: "meanwhile", "bake-time": "3s" });
  await step.reaches("bake");
  const waiting = there.startBack(quick);
  await waiting.says(/Another deploy of "web" holds the lock/);
  expect((await step.ended).outputs.status).toBe("deployed");
  const refused = await waiting.ended;
  expect([refused.outputs.status, refused.outputs["failed-gate"]]).toEqual(["failed", "preflight"]);
  expect(refused.outputs.reason).toMatch(
    /^While this run waited for the lock, https:\S+ put meanwhile on the host \(deployed\)\./,
  );
  expect(await oneReleaseByItself()).toBe("meanwhile");
  expect((await there.wentBack({ to: "echo2" })).outputs.release).toBe("echo2");
}, 120_000);

test("the post step of a rollback that was killed says what the host runs", async () => {
  const step = there.startBack({ ...quick, "bake-time": "30s" });
  await step.reaches("bake");
  step.kill("SIGKILL");
  const { state } = await step.ended;
  const post = await startPost("rollback-ec2", rollbackInputs(bed, host, quick), state).ended;
  expect(post.log).toMatch(/runs echo2 \(sha256:[0-9a-f]{64}\) of "web"\./);
  expect(post.code).toBe(0);
  await asBefore();
}, 120_000);

test("the history survives a reboot, and a rollback after it goes where it went before", async () => {
  const before = await historyOf(host);
  await docker(["restart", "--time", "0", host.container]);
  await until(
    "the app serves again",
    async () => (await lookAt(host).catch(() => undefined))?.serves === "echo2",
    90_000,
  );
  expect(await historyOf(host)).toEqual(before);
  const ended = await there.wentBack();
  expect(ended.outputs.release).toBe("echo1");
  expect(await oneReleaseByItself()).toBe("echo1");
}, 180_000);
