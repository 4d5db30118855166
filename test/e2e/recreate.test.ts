import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { docker } from "../bed/run";
import {
  deploy,
  deployed,
  freshHost,
  host,
  lightLoad,
  oneRelease,
  oneReleaseByItself,
  other,
  standing,
  start,
} from "../support/bad-day";
import { Fault, findProxy, killProxy } from "../support/faults";
import { Load } from "../support/load";
import { inBox, inspectInBox, lookAt, until } from "../support/outside";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

const recreate = { strategy: "recreate" };
const slotStates = (): Promise<string> =>
  inBox(
    host,
    "bash",
    "-c",
    "echo show servers state app | socat - UNIX-CONNECT:/var/lib/hello-devops/web/run/admin.sock",
  );
const running = async (): Promise<readonly string[]> => (await lookAt(host)).running;

test("the old container has ended before the new one begins, and the log says how long nothing was served", async () => {
  const step = start(other(live), { ...recreate, "bake-time": "2s" });
  await step.reaches("probe");
  expect((await running()).length).toBeLessThan(2);
  const ended = await step.ended;
  expect([ended.outputs.status, ended.code]).toEqual(["deployed", 0]);
  expect(ended.log).toMatch(/^Nothing was served for \d+\.\d\d s; echo[12]\S* serves now\.$/m);
  expect(await oneReleaseByItself()).toBe(other(live));
}, 90_000);

test("requests fail only between the stop of the old one and the start of the new one", async () => {
  const load = new Load(host.url, { keepAlive: 3, fresh: 2, pause: 5 });
  const ended = await deploy(other(live), recreate);
  const { requests, failed, failures } = await load.stop();
  expect(ended.outputs.status).toBe("deployed");
  const [, dark = "0"] = /^Nothing was served for (\d+\.\d\d) s/m.exec(ended.log) ?? [];
  const at = failures.map((failure) => Date.parse(failure.split(" ")[0] ?? ""));
  expect(failed).toBeLessThan(requests);
  expect(Math.max(...at) - Math.min(...at)).toBeLessThanOrEqual(Number(dark) * 1000 + 100);
  expect(await oneReleaseByItself()).toBe(other(live));
}, 90_000);

test.each([
  ["never becomes healthy", "broken", { "start-timeout": "3s" }],
  ["ends at once", "exits", {}],
])(
  "a release that %s is followed by the old one again",
  async (_, image, more) => {
    const ended = await deploy(image, { ...recreate, ...more });
    expect([ended.outputs.status, ended.code]).toEqual(["rolled-back", 1]);
    expect(ended.log).toMatch(new RegExp(`^Nothing was served for \\d+\\.\\d\\d s; ${live}\\S* serves now\\.$`, "m"));
    expect(await oneRelease()).toBe(live);
  },
  90_000,
);

test("a proxy that is killed once the new release has its slot has the old one back as soon as the next step meets it", async () => {
  const fault = await Fault.primed(host, killProxy(), findProxy());
  const step = start(other(live), { ...recreate, "health-threshold": "5", "health-interval": "1s" });
  await step.reaches("probe");
  await until("the slot is taken", async () => (await slotStates()).includes(`web-${other(live)}`));
  await fault.strike();
  const ended = await step.ended;
  expect([ended.outputs.status, ended.code]).toEqual(["rolled-back", 1]);
  expect(ended.log).toMatch(/::error title=Deploy rolled back%3A shift::The proxy has forgotten web-echo/);
  const at = (line: RegExp): number => Date.parse(line.exec(ended.log)?.[1] ?? "");
  expect(at(/::debug::(\S+) guard: ABORT:/) - at(/::debug::(\S+) guard: DO shift/)).toBeLessThan(10_000);
  expect(await oneRelease()).toBe(live);
}, 90_000);

test("the strategy changes both ways", async () => {
  await deployed(other(live), recreate);
  expect(await oneRelease()).toBe(other(live));
  await deployed(live, recreate);
  const load = lightLoad();
  await deployed(other(live));
  expect((await load.stop()).failed).toBe(0); // back to blue-green: both run for a while
  expect(await oneReleaseByItself()).toBe(other(live));
}, 120_000);

test("a reboot in the bake brings back the old release alone", async () => {
  await deployed(other(live), recreate);
  const step = start(live, { ...recreate, "bake-time": "60s", lease: "15s" });
  await step.reaches("bake");
  await docker(["kill", host.container]);
  await docker(["start", host.container]);
  expect((await step.ended).outputs.status).toBe("rolled-back");
  expect(await oneReleaseByItself()).toBe(other(live));
}, 120_000);

test("Docker starts the committed container alone after a reboot, whatever the restart policies say", async () => {
  await deployed(other(live), recreate);
  await deployed(live, recreate);
  const { running } = await lookAt(host);
  const kept =
    (await lookAt(host)).containers.find((line) => line.startsWith(`web-${other(live)}`))?.split(" ")[0] ?? "";
  await inBox(host, "docker", "update", "--restart", "always", kept); // as in the moment of a commit
  await docker(["restart", host.container]);
  await inBox(host, "bed-ctl", "wait");
  await until("it serves", async () => (await lookAt(host)).serves === live);
  expect((await lookAt(host)).running).toEqual(running);
  expect((await inspectInBox<{ State: { Running: boolean } }>(host, kept)).State.Running).toBe(false);
  await inBox(host, "docker", "update", "--restart", "no", kept);
}, 120_000);
