import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { lightLoad, noneFailed, oneRelease, oneReleaseByItself, other, sameStory } from "../support/bad-day";
import { hostOfKind, theBed } from "../support/bed";
import { Fault } from "../support/faults";
import { judge } from "../support/judge";
import { Load } from "../support/load";
import { inBox, until, whoServes } from "../support/outside";
import { Quick } from "../support/quick";

// The only file that uses these two hosts: there is one of each.
const bed = theBed();

describe("a host with Docker 26.1 and OpenSSH 10", () => {
  const host = hostOfKind(bed, "docker26");
  const quick = new Quick(bed, host);
  beforeAll(() => resetHost(host), 60_000);
  afterAll(() => resetHost(host), 60_000);

  test("gets its first release", async () => {
    const versions = await inBox(host, "bash", "-c", "docker version --format '{{.Server.Version}}'; ssh -V 2>&1");
    expect(versions).toMatch(/^26\.1\.\S+\nOpenSSH_10\./);
    await quick.deployed("echo1");
    expect(await oneRelease(host)).toBe("echo1");
  }, 60_000);

  test("gets a second release under load without a failed request", async () => {
    const load = new Load(host.url, { keepAlive: 8, fresh: 4 });
    await load.answeredBy("echo1");
    await quick.deployed("echo2", { "bake-time": "1s" });
    await load.answeredBy("echo2");
    await noneFailed(load);
    expect(await oneRelease(host)).toBe("echo2");
  }, 60_000);

  test("keeps the release that serves when the next one is not healthy", async () => {
    const load = lightLoad(host);
    const { outputs, code } = await quick.deploy("broken", { "start-timeout": "3s" });
    expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "probe" });
    expect(code).toBe(1);
    await noneFailed(load);
    expect(await oneRelease(host)).toBe("echo2");
  }, 60_000);

  test("takes a deploy back by itself when the runner is killed in the bake", async () => {
    const load = lightLoad(host);
    const step = quick.start("echo1", { "bake-time": "60s" });
    await step.reaches("bake");
    await load.answeredBy("echo1");
    step.kill("SIGKILL");
    await step.ended;
    expect(await oneReleaseByItself(undefined, host)).toBe("echo2");
    await noneFailed(load);
  }, 90_000);

  test("ends the connection of a runner that fell silent in the bake, and takes its deploy back", async () => {
    const load = lightLoad(host);
    const step = quick.start("echo1", { "bake-time": "60s", lease: "5s" });
    await step.reaches("bake");
    await load.answeredBy("echo1");
    step.kill("SIGSTOP");
    expect(await oneReleaseByItself(undefined, host)).toBe("echo2");
    expect(await inBox(host, "bash", "-c", "pgrep -u ec2-user -l ssh || true")).toBe("");
    step.kill("SIGCONT");
    sameStory(await step.ended, "echo2", "echo1", await oneReleaseByItself(undefined, host));
    await noneFailed(load);
  }, 90_000);

  test("comes back from a reboot in the bake with the release before it", async () => {
    const step = quick.start("echo1", { "bake-time": "60s" });
    await step.reaches("bake");
    await docker(["restart", host.container]);
    sameStory(await step.ended, "echo2", "echo1", await oneReleaseByItself(undefined, host));
    expect(await oneRelease(host)).toBe("echo2");
  }, 180_000);

  test("serves after a reboot what it served before, and the same deploy changes nothing", async () => {
    await docker(["restart", host.container]);
    await until("it serves again", async () => (await whoServes(host)) !== undefined);
    expect(await oneRelease(host)).toBe("echo2");
    expect((await quick.deploy("echo2", { "bake-time": "1s" })).outputs.status).toBe("unchanged");
    await quick.deployed("echo1");
    expect(await oneRelease(host)).toBe("echo1");
  }, 120_000);
});

describe("a host whose engine has live-restore", () => {
  const host = hostOfKind(bed, "live-restore");
  const quick = new Quick(bed, host);
  const dockerd = (verb: string) => inBox(host, "bed-ctl", "dockerd", verb);
  const kept = () => new Load(host.url, { keepAlive: 3, fresh: 0, pause: 20 });
  const fresh = () => new Load(host.url, { keepAlive: 0, fresh: 2, pause: 20 });
  let live = "";
  beforeAll(() => resetHost(host), 60_000);
  beforeEach(async () => {
    const { version, wrong } = await judge(host);
    live = version;
    if (version && wrong.length === 0) return;
    await resetHost(host); // an earlier test left it in a bad way
    live = "echo1";
    await quick.deployed(live);
  }, 120_000);
  afterAll(async () => {
    await dockerd("start");
    await resetHost(host);
  }, 90_000);

  /**
   * No request fails while it is down. A dockerd that starts takes all of Docker's iptables rules away and makes them anew
   * (https://github.com/moby/moby/issues/34660): connections live on, but for a moment no new one gets to any container.
   */
  async function dockerdIsDownFor(time: number, stop: Fault): Promise<void> {
    const load = fresh();
    await stop.strike();
    await sleep(time);
    expect(await inBox(host, "bash", "-c", "docker version >/dev/null 2>&1 || echo down")).toBe("down");
    await noneFailed(load);
    const atTheStart = fresh();
    await dockerd("start");
    const { failures } = await atTheStart.stop();
    expect(failures.filter((failure) => !/ connect ECONNREFUSED /.test(failure))).toEqual([]);
  }
  const dockerdStops = () => Fault.primed(host, "bed-ctl dockerd stop"); // strikes in a few milliseconds

  test("serves on while its dockerd is down for a minute, and takes the next deploy after it", async () => {
    expect(await inBox(host, "docker", "info", "--format", "{{.LiveRestoreEnabled}}")).toBe("true");
    const connections = kept();
    await dockerdIsDownFor(60_000, await dockerdStops());
    const load = fresh();
    await quick.deployed(other(live));
    await load.answeredBy(other(live));
    await noneFailed(load);
    await noneFailed(connections);
    expect(await oneRelease(host)).toBe(other(live));
  }, 150_000);

  test.each([
    ["the bake, for less time than it takes", "bake", { down: 4000, bake: "15s" }],
    ["the bake, for more time than it takes", "bake", { down: 8000, bake: "3s" }],
    ["the commit", "commit", { down: 4000, bake: "0s" }],
    ["retire", "retire", { down: 4000, bake: "0s" }],
  ])(
    "ends on one release, with every request answered, when dockerd stops in %s",
    async (_, phase, { down, bake }) => {
      const connections = kept();
      const next = other(live);
      const stop = await dockerdStops();
      const step = quick.start(next, { "bake-time": bake, "health-threshold": "3" });
      await step.reaches(phase);
      await dockerdIsDownFor(down, stop);
      const load = fresh();
      const ended = await step.ended;
      const now = await oneReleaseByItself(undefined, host);
      sameStory(ended, live, next, now);
      if (now === live) expect(ended.outputs.reason).toMatch(/^the host's Docker no longer answers\b/); // the candidate is good
      await quick.deployed(other(now));
      await noneFailed(load);
      await noneFailed(connections);
      expect(await oneRelease(host)).toBe(other(now));
    },
    150_000,
  );

  test("takes a deploy back by itself when its runner is killed while dockerd is down", async () => {
    const connections = kept();
    const stop = await dockerdStops();
    const step = quick.start(other(live), { "bake-time": "60s" });
    await step.reaches("bake");
    step.kill("SIGKILL");
    await dockerdIsDownFor(4000, stop);
    await step.ended;
    expect(await oneReleaseByItself(undefined, host)).toBe(live);
    await noneFailed(connections);
  }, 90_000);
});
