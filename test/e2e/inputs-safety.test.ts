import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { inBox, inspectInBox, lookAt, until, wholeState } from "../support/outside";
import { good, Quick } from "../support/quick";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const LOCK = "/var/lib/hello-devops/web/lock";

beforeAll(() => resetHost(host), 60_000);
afterAll(() => resetHost(host), 60_000);

test("says with dry-run what a first deploy would do, and changes nothing", async () => {
  const before = await wholeState(host);
  const ended = await quick.deploy("echo1", { "dry-run": "true" });
  expect(ended.outputs).toMatchObject({ status: "unchanged", "previous-release": "" });
  expect(ended.log).toContain(
    'Would make /var/lib/hello-devops/web on the host: it is the first deploy of "web" there.',
  );
  expect(ended.code).toBe(0);
  expect(await wholeState(host)).toBe(before);
}, 60_000);

test("says with dry-run what the next deploy would do, and changes nothing", async () => {
  await quick.deployed("echo1");
  const before = await wholeState(host);
  const ended = await quick.deploy("echo2", { "dry-run": "true", "pre-deploy": "node migrate.js" });
  expect(ended.outputs).toMatchObject({ status: "unchanged", release: "echo2", "previous-release": "echo1" });
  for (const line of [
    "Would run pre-deploy: node migrate.js",
    "Would start web-echo2 in the slot green, beside web-echo1",
  ]) {
    expect(ended.log).toContain(line);
  }
  expect(ended.summary).toContain("a dry run: nothing was changed");
  expect(await wholeState(host)).toBe(before);
}, 60_000);

test("starts a release that runs already anew with force, and only then", async () => {
  const id = () => inspectInBox<string>(host, "web-echo1", "{{json .Id}}");
  const before = await id();
  expect((await quick.deploy("echo1")).outputs.status).toBe("unchanged");
  expect(await id()).toBe(before);
  const ended = await quick.deployed("echo1", { force: "true" });
  expect(ended.outputs).toMatchObject({ release: "echo1-2", "previous-release": "echo1" });
  expect(await lookAt(host)).toMatchObject({ running: ["web-echo1-2"], serves: "echo1" });
}, 60_000);

test("waits lock-timeout for another deploy, says who holds the lock, and goes on when it is free", async () => {
  const held = docker(["exec", host.container, "flock", LOCK, "-c", "echo $$ >/run/bed/held; exec sleep 600"]).catch(
    () => "",
  );
  await until("the lock is held", async () => (await lookAt(host)).locked);
  const refused = await quick.deploy("echo2", { "lock-timeout": "1s" });
  expect(refused.outputs).toMatchObject({ status: "failed", "failed-gate": "guard" });
  expect(refused.outputs.reason).toContain('lock-timeout: another deploy of "web" held the lock for all of 1 s');
  const waiting = quick.start("echo2", { "lock-timeout": "5m" });
  await waiting.says(/Another deploy of "web" holds the lock: run \S+ by octocat since \S+\. Waiting up to 300 s/);
  await inBox(host, "bash", "-c", "pkill -P $(cat /run/bed/held) ; kill $(cat /run/bed/held)");
  good(await waiting.ended);
  await held;
  await quick.deployed("echo1", { "lock-timeout": "0s" }); // free: no time is needed
}, 90_000);

test("undoes the deploy of a runner that fell silent, once its lease has run out", async () => {
  const before = await lookAt(host);
  const step = quick.start("echo2", { lease: "5s", "bake-time": "5m", version: "silent" });
  await step.reaches("bake");
  step.kill("SIGSTOP");
  const silent = performance.now();
  expect((await lookAt(host)).serves).toBe("silent");
  await until("the old release serves again", async () => (await lookAt(host)).serves === before.serves, 30_000);
  expect(performance.now() - silent).toBeGreaterThan(3000); // the last beat came up to a second before the silence
  await until("everything is taken back", async () => !(await lookAt(host)).locked);
  expect(await lookAt(host)).toEqual(before);
  step.kill("SIGCONT");
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "previous-release": before.current });
  expect(await lookAt(host)).toEqual(before);
}, 90_000);

test("refuses a run older than the live one, and deploys it with allow-older", async () => {
  const older = { GITHUB_RUN_ID: "7", GITHUB_RUN_ATTEMPT: "1" };
  const refused = await quick.deploy("echo2", { version: "older" }, older);
  expect(refused.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(refused.outputs.reason).toMatch(
    /^Run 7 \(attempt 1\) is older than run \d+ \(attempt 1\), which put \S+ on the host\./,
  );
  expect((await lookAt(host)).serves).toBe("echo1");
  await quick.deployed("echo2", { version: "older", "allow-older": "true" }, older);
  expect((await lookAt(host)).serves).toBe("older");
}, 60_000);

test("refuses to pull where less than min-free-disk is free", async () => {
  const before = await wholeState(host);
  const ended = await quick.deploy("good1", { "min-free-disk": "900t" });
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(ended.outputs.reason).toMatch(
    /^min-free-disk: \d+ MB are free in \/var\/lib\/docker on the host, but 943718400 MB are needed/,
  );
  expect(await changesBut(before, /\/(lock|holder) /)).toEqual([]);
}, 60_000);

/** Lines of the whole state that are not as before: whoever takes the lock writes its name beside it. */
async function changesBut(before: string, allowed: RegExp): Promise<string[]> {
  const known = new Set(before.split("\n"));
  const lines = (await wholeState(host)).split("\n");
  return lines.filter((line) => !known.has(line) && !allowed.test(`${line} `));
}

test("leaves the stopped container of a failed deploy with keep-failed, until the next good one", async () => {
  const inputs = { "keep-failed": "true", "start-timeout": "1s" };
  const failed = await quick.deploy("broken", inputs);
  expect(failed.outputs.status).toBe("rolled-back");
  const kept = await lookAt(host);
  expect(kept).toMatchObject({ serves: "older", journal: false, locked: false });
  expect(kept.containers).toContain("web-broken exited no");
  expect(await inBox(host, "docker", "logs", "web-broken")).toContain("broken 3 listens");
  expect(failed.summary).toContain("docker logs web-broken");
  await quick.deployed("echo1", { version: "next" });
  expect((await lookAt(host)).containers.join()).not.toContain("web-broken");
}, 60_000);

test("keeps keep-releases committed releases: containers, folders and images of older ones go", async () => {
  await quick.deployed("good1", { "keep-releases": "2" });
  expect(await lookAt(host)).toMatchObject({
    containers: ["web-good1 running always", "web-next exited no", "web-proxy running always"],
    releases: ["good1", "next"],
  });
  const digests = await inBox(host, "docker", "images", "--digests", "--format", "{{.Digest}}");
  const there = ["good1", "echo1", "echo2"].filter((image) =>
    digests.includes(bed.images[image]?.digest.split("@")[1] ?? "?"),
  );
  expect(there).toEqual(["good1", "echo1"]);
}, 60_000);
