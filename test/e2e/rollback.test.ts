import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { lightLoad, noneFailed, oneRelease } from "../support/bad-day";
import { myHost, theBed } from "../support/bed";
import { inBox, inspectInBox, lookAt, wholeState } from "../support/outside";
import { historyOf, There } from "../support/rollback";
import type { Ended } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const there = new There(bed, host);

/** Three releases, one after the other; the first was deployed with all that a release can be deployed with. */
const FIRST = {
  version: "first",
  env: "GREETING=hello\nTOKEN='two\nlines'",
  volumes: "kept-data:/data",
  command: "node /srv/misbehave.mjs well 1",
  memory: "200m",
  cpus: "0.5",
  "stop-timeout": "7s",
};

beforeAll(() => resetHost(host), 60_000);
afterAll(() => resetHost(host), 60_000);
beforeEach(async () => {
  const { current, releases } = await lookAt(host);
  if (current === "third" && releases.join() === "first,none,second,third") return;
  await resetHost(host);
  await there.deployed("echo1", FIRST);
  await there.deployed("echo2", { version: "second", env: "GREETING=good day" });
  await there.deployed("echo1", { version: "third" });
}, 120_000);

const made = async (name: string) => {
  const { Id, Config, HostConfig, Mounts } = await inspectInBox<Record<string, Record<string, unknown>>>(host, name);
  const { Memory, NanoCpus, Binds } = HostConfig ?? {};
  return { Id, Env: Config?.Env, Cmd: Config?.Cmd, StopTimeout: Config?.StopTimeout, Mounts, Memory, NanoCpus, Binds };
};

const story = ({ outputs, code }: Ended) => [outputs.status, outputs.release, outputs["previous-release"], code];

test("without arguments the release before serves again, in its own container, and no request fails", async () => {
  const before = await made("web-second");
  const load = lightLoad(host);
  const ended = await there.back();
  expect(story(ended)).toEqual(["deployed", "second", "third", 0]);
  expect(ended.log).toContain("From third back to second (second).");
  await noneFailed(load);
  expect(await oneRelease(host)).toBe("second");
  expect(await made("web-second")).toEqual(before);
  expect((await lookAt(host)).containers).toContain("web-third exited no");
  expect(ended.summary).toContain("web second: ✅ brought back");
}, 90_000);

test("a second rollback goes one further back and says so, with env, mounts, command and limits as deployed", async () => {
  const before = await made("web-first");
  await there.wentBack();
  const again = await there.back();
  expect(story(again)).toEqual(["deployed", "first", "second", 0]);
  expect(again.log).toMatch(
    /^second was itself brought back by a rollback \(\S+Z, by octocat, https:\/\/github\.example\/acme\/web\/actions\/runs\/\d+\/attempts\/1\)\. This one goes one release further back, to first\.$/m,
  );
  expect(await oneRelease(host)).toBe("first");
  expect(await made("web-first")).toEqual(before);
  const env = (await (await fetch(`${host.url}/env`)).json()) as Record<string, string>;
  expect([env.GREETING, env.TOKEN]).toEqual(["hello", "two\nlines"]);
  const third = await there.back();
  expect([third.outputs.status, third.outputs["failed-gate"]]).toEqual(["failed", "preflight"]);
  expect(third.outputs.reason).toBe(
    "Nothing to go back to: there is no release before first: it was the first on this host. There are: third, second, first (serves now).",
  );
  expect(await oneRelease(host)).toBe("first");
}, 120_000);

test("after a rollback a deploy goes forward, and the next rollback passes the release that was left behind", async () => {
  await there.wentBack();
  const forward = await there.deployed("echo2", { version: "fourth" });
  expect(story(forward)).toEqual(["deployed", "fourth", "second", 0]);
  expect((await lookAt(host)).releases).toContain("first"); // where a second rollback would go, sooner than to third
  expect(story(await there.back())).toEqual(["deployed", "second", "fourth", 0]);
  expect(await oneRelease(host)).toBe("second");
}, 120_000);

test("the release that a rollback left can be deployed again, and is unchanged where it serves", async () => {
  await there.wentBack();
  expect((await there.deploy("echo2", { version: "second", env: "GREETING=good day" })).outputs.status).toBe(
    "unchanged",
  );
  const forward = await there.deployed("echo1", { version: "third" });
  expect(story(forward)).toEqual(["deployed", "third-2", "second", 0]);
}, 90_000);

test("asks a release for its health as it was deployed, with headers that no file on the host shows", async () => {
  const secret = "s3cret-of-the-check";
  const checks = {
    "health-path": "/headers",
    "health-headers": `X-Token: ${secret}`,
    "health-body": "s.cret-of-the-ch.ck",
  };
  await there.deployed("echo1", { version: "guarded", ...checks });
  await there.deployed("echo2", { version: "after" });
  const ended = await there.back();
  expect(story(ended)).toEqual(["deployed", "guarded", "after", 0]);
  const shown = await inBox(
    host,
    "bash",
    "-c",
    `grep -rl ${secret} /var/lib/hello-devops; docker inspect web-guarded | grep -c "X-Token: ${secret}"; true`,
  );
  expect(shown.trim()).toBe("0");
}, 120_000);

test("a rollback that a gate stops leaves what served, and the release is stopped and kept", async () => {
  const before = await lookAt(host);
  const load = lightLoad(host);
  const ended = await there.back({ "health-path": "/status?code=503", "start-timeout": "1s" });
  expect(story(ended)).toEqual(["rolled-back", "second", "third", 1]);
  expect(ended.outputs["failed-gate"]).toBe("probe");
  expect(ended.log).toContain("::error title=Rollback failed%3A probe::");
  await noneFailed(load);
  expect(await lookAt(host)).toEqual(before);
  expect((await historyOf(host)).at(-1)).toMatchObject({
    ...{ release: "second", previous: "third", result: "failed", reason: "stopped at probe" },
    run: { actor: "octocat" },
  });
  expect(story(await there.back())).toEqual(["deployed", "second", "third", 0]);
}, 90_000);

/** Whoever takes the lock writes its name beside it. */
const untouched = (state: string) => state.split("\n").filter((line) => !/\/(lock|holder)\b|\/web d /.test(line));

test("says what there is when the release is no longer there", async () => {
  await inBox(host, "docker", "rm", "web-second");
  const before = await wholeState(host);
  const ended = await there.back();
  expect([ended.outputs.status, ended.outputs["failed-gate"]]).toEqual(["failed", "preflight"]);
  expect(ended.outputs.reason).toBe(
    'second can\'t come back: its container "web-second" was removed from the host. There are: third (serves now), first.',
  );
  expect(untouched(await wholeState(host))).toEqual(untouched(before));
  expect(story(await there.back({ to: "first" }))).toEqual(["deployed", "first", "third", 0]);
}, 90_000);

test("refuses a run that is older than the last change, and says that a new run is needed", async () => {
  const ended = await there.back({}, { GITHUB_RUN_ID: "7" });
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(ended.outputs.reason).toMatch(
    /^Run 7 \(attempt 1\) is older than run \d+ \(attempt 1\), which put third on the host\. .* Start it as a new run/,
  );
  const deploy = await there.deploy("echo2", { version: "late" }, { GITHUB_RUN_ID: "7" });
  expect(deploy.outputs.status).toBe("failed");
}, 60_000);

test("a job that is run again after its rollback goes no further back, and a second rollback of a run does", async () => {
  const run = { GITHUB_RUN_ID: "900000", GITHUB_RUN_ATTEMPT: "1" };
  expect(story(await there.back({}, run))).toEqual(["deployed", "second", "third", 0]);
  const again = await there.back({}, { ...run, GITHUB_RUN_ATTEMPT: "2" });
  expect([again.outputs.status, again.outputs.release, again.code]).toEqual(["unchanged", "second", 0]);
  expect(await oneRelease(host)).toBe("second");
  expect(story(await there.back({}, run)).slice(0, 2)).toEqual(["deployed", "first"]);
  await resetHost(host); // no later run is newer than this one
}, 120_000);

test("what the release was given as env is masked as in its deploy, and its log is that of this start", async () => {
  const talks = `node -e 'console.log("the token is", process.env.TOKEN, Date.now());
    require("node:http").createServer((q, s) => s.end("ok")).listen(5000); process.on("SIGTERM", () => process.exit(0))'`;
  const secret = "hunter2-of-the-database";
  await there.deployed("echo1", { version: "talks", command: talks, env: `TOKEN=${secret}` });
  await there.deployed("echo2", { version: "after" });
  const ended = await there.back({ "health-status": "418", "start-timeout": "1s" });
  expect(story(ended)).toEqual(["rolled-back", "talks", "after", 1]);
  const shown = ended.log
    .split("\n")
    .filter((line) => !line.startsWith("::add-mask::"))
    .join("\n");
  expect(shown).not.toContain(secret);
  expect(shown.match(/the token is \*\*\* \d+/g)).toHaveLength(1);
  expect(ended.summary).toMatch(/the token is &#42;&#42;&#42; \d+/);
  expect(ended.summary).not.toContain(secret);
}, 120_000);

test("an app that can't run twice is stopped before the release before it starts again", async () => {
  const recreate = { strategy: "recreate" };
  await there.deployed("echo1", { version: "alone1", ...recreate });
  await there.deployed("echo2", { version: "alone2", ...recreate });
  const ended = await there.back();
  expect(story(ended)).toEqual(["deployed", "alone1", "alone2", 0]);
  expect(ended.log).toMatch(/^Nothing was served for \d+\.\d\d s; alone1 serves now\.$/m);
  expect(await oneRelease(host)).toBe("alone1");
  const failed = await there.back({ to: "alone2", "health-path": "/status?code=503", "start-timeout": "1s" });
  expect(story(failed)).toEqual(["rolled-back", "alone2", "alone1", 1]);
  expect(await oneRelease(host)).toBe("alone1");
}, 120_000);

test("a host without the app, and one without a release, have nothing to go back to", async () => {
  const before = await wholeState(host);
  const ended = await there.back({ app: "shop" });
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(ended.outputs.reason).toBe('There is no app "shop" on this host (app): nothing to go back to.');
  expect(await wholeState(host)).toBe(before);
}, 60_000);
