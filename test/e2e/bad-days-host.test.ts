import { Agent, get } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { docker } from "../bed/run";
import {
  bed,
  deploy,
  deployed,
  freshHost,
  host,
  lightLoad,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  other,
  sameStory,
  standing,
  start,
} from "../support/bad-day";
import { inBox, until, whoServes } from "../support/outside";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

const losePower = async () => [await docker(["kill", host.container]), await docker(["start", host.container])];

test("a host that loses its power in the bake comes back with the release before it", async () => {
  const step = start(other(live), { "bake-time": "60s", lease: "15s" });
  await step.reaches("bake");
  await losePower();
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back" });
  expect(ended.code).toBe(1);
  expect(await oneReleaseByItself()).toBe(live);
  await deployed(other(live));
}, 180_000);

test("a host that loses its power right after the commit comes back with the new release", async () => {
  const next = other(live);
  const step = start(next);
  await step.says(/ is committed\.$/m);
  await losePower();
  const ended = await step.ended;
  sameStory(ended, live, next, next);
  await until("the new release serves", async () => (await whoServes(host)) === next);
  await deployed(live);
  expect(await oneReleaseByItself()).toBe(live);
}, 180_000);

test("two deploys at once follow each other; one that is cancelled while it waits changes nothing", async () => {
  const load = lightLoad();
  const first = start(other(live), { "bake-time": "4s" });
  await first.reaches("bake");
  const cancelled = start("good1");
  const second = start("good2", { "bake-time": "0s" });
  const held = /^Another deploy of "web" holds the lock: run https:\S+ by octocat since \S+Z\. Waiting up to 600 s\.$/m;
  await Promise.all([cancelled.says(held), second.says(held), cancelled.reaches("guard")]);
  cancelled.kill("SIGINT");
  const given = await cancelled.ended;
  expect(given.outputs).toMatchObject({ status: "failed", "failed-gate": "guard" });
  expect(given.outputs.reason).toContain("the job was cancelled (SIGINT)");
  expect((await first.ended).outputs).toMatchObject({
    status: "deployed",
    release: expect.stringContaining(other(live)),
  });
  const after = await second.ended;
  if (after.outputs.status !== "deployed")
    throw new Error(`the one that waited should have been deployed:\n${after.log}`);
  expect(after.outputs).toMatchObject({
    status: "deployed",
    "previous-release": expect.stringContaining(other(live)),
  });
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe("good2");
}, 90_000);

test("a deploy that waited and is older than what was committed meanwhile is refused", async () => {
  const first = start(other(live), { "bake-time": "4s" });
  await first.reaches("bake");
  const older = start("good1", {}, { GITHUB_RUN_ID: "7" });
  await older.says(/holds the lock/);
  expect((await first.ended).outputs.status).toBe("deployed");
  const ended = await older.ended;
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(ended.outputs.reason).toMatch(/^Run 7 \(attempt 1\) is older than run \d+ .*set allow-older: true/);
  expect(await oneReleaseByItself()).toBe(other(live));
}, 90_000);

test("lock-timeout ends the wait and names it", async () => {
  const first = start(other(live), { "bake-time": "4s" });
  await first.reaches("bake");
  const { outputs } = await deploy("good1", { "lock-timeout": "1s" });
  expect(outputs.reason).toMatch(
    /^lock-timeout: another deploy of "web" held the lock for all of 1 s\. Nothing was changed\./,
  );
  expect((await first.ended).outputs.status).toBe("deployed");
}, 90_000);

test.each([
  ["stopped", "docker stop -t 1 web-proxy"],
  ["removed", "docker rm -f web-proxy"],
])(
  "a proxy that was %s by hand is put back by the next deploy, changed or not",
  async (what, command) => {
    await inBox(host, "bash", "-c", command);
    const { outputs, log } = await deploy(other(live));
    expect(outputs.status).toBe("deployed");
    expect(log).toContain(`The proxy "web-proxy" was ${what} by hand. It is put back with `);
    expect(await oneReleaseByItself()).toBe(other(live));
    await inBox(host, "bash", "-c", command);
    expect((await deploy(other(live))).outputs.status).toBe("deployed"); // the same again: it did not serve
    expect(await oneReleaseByItself()).toBe(other(live));
  },
  90_000,
);

test("a reload for new settings fails no request, not even on a connection that idles through it until the old release stops", async () => {
  const load = lightLoad();
  const idle = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await answerOn(idle)).toBe(live);
  const step = start(other(live), { "drain-timeout": "4s" }); // 5s before: hard-stop-after
  await step.reaches("retire");
  expect(await answerOn(idle)).toBe(live); // of the worker before the reload, which knows the release before the shift
  expect((await step.ended).log).toContain("The proxy's settings change: it is reloaded once");
  expect(await answerOn(idle)).toBe(other(live));
  idle.destroy();
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe(other(live));
}, 90_000);

/** The release that answers a request on this agent's one connection. */
const answerOn = (agent: Agent): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    get(`${host.url}/slow?ms=1000`, { agent }, (response) => {
      response.resume().once("end", () => resolve(response.headers["x-release"]?.toString()));
    }).once("error", reject);
  });

const echo = () => bed.images.echo1?.digest ?? "";
const holders: [string, string, string, RegExp][] = [
  [
    "somebody else's container",
    `docker run -d --name squatter -p 80:5000 ${echo()}`,
    "docker rm -f squatter",
    /held by the container "squatter" .*docker rm -f squatter/,
  ],
  [
    "a process outside Docker",
    "setsid socat TCP-LISTEN:80,fork,reuseaddr /dev/null & echo $! >/run/squatter",
    "kill $(cat /run/squatter)",
    /port 80 of the host is held by something outside Docker\. Stop it \(sudo ss -ltnp\)/,
  ],
];
test.each(holders)(
  "a port 80 held by %s is refused by name, and once it is free the release serves again",
  async (_, take, free, reason) => {
    await inBox(host, "bash", "-c", `docker rm -f web-proxy; ${take}`);
    const ended = await deploy(other(live));
    await inBox(host, "bash", "-c", free);
    expect(ended.outputs.reason).toMatch(reason);
    expect(ended.code).toBe(1);
    await deployed(other(live));
    expect(await oneRelease()).toBe(other(live));
  },
  90_000,
);
