import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { GithubApi } from "../support/github-api";
import { inBox, lookAt, until, wholeState } from "../support/outside";
import { recorder, seenBy } from "../support/recorder";
import { historyOf, There } from "../support/rollback";
import type { Ended, Inputs } from "../support/runner";
import { type KeyPair, loginsAtSecond, nameOf, newKey, SECOND_PORT, SilentServer, secondWayIn } from "../support/sshd";

const bed = theBed();
const host = myHost(bed);
const there = new There(bed, host);
const folder = mkdtempSync(join(tmpdir(), "hello-devops-rollback-"));
const told = (name: string) => readFileSync(join(folder, name), "utf8");
const silent = new SilentServer();
const api = new GithubApi(["Sell less"]);
const [older, newer] = ["a".repeat(40), "b".repeat(40)];
const digest = (image: string): string => bed.images[image]?.digest.replace(/^.*@/, "") ?? "";
let github = "";
let locked: KeyPair;

beforeAll(async () => {
  await resetHost(host);
  await secondWayIn(host);
  locked = await newKey("open sesame");
  await inBox(host, "bash", "-c", `echo '${locked.public.trim()}' >>/home/deploy/.ssh/authorized_keys`);
  github = await api.listen();
  await there.deployed("echo2", { version: "oldest" });
  await there.deployed("echo1", { version: older, command: recorder });
  await there.deployed("echo2", { version: newer });
}, 120_000);
beforeEach(async () => {
  if ((await lookAt(host)).serves !== newer) await there.wentBack({ to: newer });
}, 60_000);
afterAll(async () => {
  silent.close();
  api.close();
  rmSync(folder, { recursive: true, force: true });
  await resetHost(host);
}, 60_000);

/** A rollback that a gate stops: what served serves, and the release that was to come back is at rest again. */
async function stopped(gate: string, inputs: Inputs): Promise<Ended> {
  const before = await lookAt(host);
  const ended = await there.back(inputs);
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": gate, release: "aaaaaaaaaaaa" });
  expect(ended.code).toBe(1);
  expect(await lookAt(host)).toEqual(before);
  return ended;
}

test("gets in as hosts, ssh-user, ssh-port, ssh-key and ssh-key-passphrase say, to a host of ssh-known-hosts alone", async () => {
  const print = (await inBox(host, "ssh-keygen", "-lf", "/var/lib/bed/ssh_host_ed25519_key.pub")).split(" ")[1] ?? "";
  const second = { hosts: `${host.address}:${SECOND_PORT}`, "ssh-known-hosts": print, list: "true" };
  const look = async (more: Inputs) => {
    const ended = await there.back({ ...second, ...more });
    return [ended.code, ...(await loginsAtSecond(host)).logins];
  };
  const bedKey = await nameOf(host.keyFile);
  expect(await look({ hosts: `deploy@${host.address}:${SECOND_PORT}`, "ssh-user": "x", "ssh-port": "9" })).toEqual([
    0,
    `deploy ${bedKey}`,
  ]);
  const named = { hosts: host.address, "ssh-user": "deploy", "ssh-port": String(SECOND_PORT) };
  expect(await look({ ...named, "ssh-key": locked.private, "ssh-key-passphrase": "open sesame" })).toEqual([
    0,
    `deploy ${locked.name}`,
  ]);
  expect(await look({ "ssh-known-hosts": locked.name.split(" ")[1] ?? "" })).toEqual([1]);
}, 60_000);

test("gives up after connect-timeout on a host that never speaks", async () => {
  const known = (await inBox(host, "ssh-keygen", "-lf", "/var/lib/bed/ssh_host_ed25519_key.pub")).split(" ")[1] ?? "";
  const ended = await there.back({ hosts: await silent.listen(), "ssh-known-hosts": known, "connect-timeout": "1s" });
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "connect" });
  expect(ended.outputs.reason).toContain("no SSH connection within connect-timeout (1 s)");
}, 30_000);

test("brings back a release of app, and leaves another app on the host alone", async () => {
  const shop = { app: "shop", "http-port": "8085" };
  await there.deployed("echo1", { ...shop, version: "s1" });
  await there.deployed("echo2", { ...shop, version: "s2" });
  const before = await lookAt(host);
  expect((await there.wentBack({ app: "shop" })).outputs).toMatchObject({ release: "s1", url: `${host.url}:8085` });
  expect((await lookAt(host, "shop")).current).toBe("s1");
  expect(await lookAt(host)).toMatchObject({ current: before.current, running: before.running });
}, 90_000);

test("brings back what to names: a commit's beginning, a digest, or steps back", async () => {
  expect((await there.wentBack({ to: "aaaa" })).outputs.release).toBe("aaaaaaaaaaaa");
  expect((await there.back({ to: older })).outputs.status).toBe("unchanged");
  expect((await there.wentBack({ to: "-1" })).outputs.release).toBe("oldest");
  expect((await there.wentBack({ to: digest("echo1").slice(0, 20) })).outputs.release).toBe("aaaaaaaaaaaa");
  const none = await there.back({ to: "cccc" });
  expect(none.outputs.reason).toBe(
    'to: no release on this host is called "cccc". There are: bbbbbbbbbbbb, aaaaaaaaaaaa (serves now), oldest.',
  );
}, 120_000);

test("keeps reason in the host's history, and tells it in releases", async () => {
  const reason = "checkout answers 500; see INC-7";
  await there.wentBack({ reason });
  expect((await historyOf(host)).at(-1)).toMatchObject({ release: "aaaaaaaaaaaa", result: "rolled-back", reason });
  const next = await there.back({ list: "true" });
  const [last] = JSON.parse(next.outputs.releases ?? "[]") as Record<string, string>[];
  expect(last).toMatchObject({ reason, result: "rolled-back", who: "octocat", now: "serves", version: older });
}, 60_000);

test("tells with list what there is to go back to and what happened, and changes nothing", async () => {
  const before = await wholeState(host);
  const ended = await there.back({ list: "true" });
  expect([ended.outputs.status, ended.code]).toEqual(["unchanged", 0]);
  expect(ended.log).toContain(`Serves now: bbbbbbbbbbbb (${newer}, ${digest("echo2")}).`);
  expect(ended.log).toMatch(
    new RegExp(`^ {2}to: -1 {3}aaaaaaaaaaaa \\(${older}, ${digest("echo1")}\\), deployed `, "m"),
  );
  expect(ended.log).toMatch(/^ {2}to: -2 {3}oldest /m);
  expect(ended.log).toMatch(/^ {2}\S+Z deployed oldest \(kept\) by octocat, https:\S+$/m);
  expect(await wholeState(host)).toBe(before);
}, 60_000);

test("says with dry-run what it would do, and changes nothing", async () => {
  const before = await wholeState(host);
  const ended = await there.back({ "dry-run": "true", "bake-time": "7s" });
  expect(ended.outputs).toMatchObject({
    status: "unchanged",
    release: "aaaaaaaaaaaa",
    "previous-release": "bbbbbbbbbbbb",
  });
  for (const line of [
    /^Would start web-aaaaaaaaaaaa again in the slot (blue|green), beside web-bbbbbbbbbbbb$/m,
    /^Would shift all traffic and watch it for 7 s$/m,
    /^Would commit aaaaaaaaaaaa, then drain and stop web-bbbbbbbbbbbb and keep it$/m,
  ])
    expect(ended.log).toMatch(line);
  expect(await wholeState(host)).toBe(before);
}, 60_000);

test("asks health-path with health-host and health-headers, health-threshold times in quick succession, and under traffic health-interval apart", async () => {
  const path = "/status?code=207&body=all%20ready";
  await there.wentBack({
    "health-path": path,
    "health-host": "shop.example:8443",
    "health-headers": "X-Check: of the rollback",
    "health-threshold": "4",
    "health-interval": "1s",
    "bake-time": "2s",
  });
  const checks = (await seenBy(host.url)).filter(({ url }) => url === path);
  const direct = checks.filter(({ headers }) => !("x-forwarded-for" in headers));
  expect(direct).toHaveLength(4);
  for (const { headers } of checks)
    expect(headers).toMatchObject({ host: "shop.example:8443", "x-check": "of the rollback" });
  expect((direct[3]?.at ?? 0) - (direct[0]?.at ?? 0)).toBeLessThan(3000);
  const baked = checks.filter((check) => !direct.includes(check));
  for (const [n, { at }] of baked.slice(1, -1).entries()) expect(at - (baked[n]?.at ?? 0)).toBeGreaterThanOrEqual(900);
}, 60_000);

test("refuses more checks than start-timeout has room for, and changes nothing", async () => {
  const before = await lookAt(host);
  const ended = await there.back({ "health-threshold": "100", "start-timeout": "4s" });
  expect([ended.outputs.status, ended.code]).toEqual(["failed", 1]);
  expect(ended.outputs.reason).toContain("start-timeout: 100 checks (health-threshold) take longer than 4 s");
  expect(await lookAt(host)).toEqual(before);
}, 60_000);

const unhealthy: [string, Inputs, RegExp][] = [
  [
    "a status outside health-status",
    { "health-path": "/status?code=207", "health-status": "200-206" },
    /last seen: status 207/,
  ],
  [
    "a body that health-body does not match",
    { "health-path": "/status?code=200&body=not", "health-body": "^ready" },
    /the body does not match \/\^ready\/: "not"/,
  ],
  [
    "an answer later than health-timeout",
    { "health-path": "/slow?ms=700", "health-timeout": "200ms" },
    /last seen: no answer within 0\.2 s/,
  ],
];
for (const [what, inputs, reason] of unhealthy)
  test(`stops at ${what}, once start-timeout is over`, async () => {
    const ended = await stopped("probe", { "start-timeout": "1s", ...inputs });
    expect(ended.outputs.reason).toMatch(reason);
    expect(ended.outputs.reason).toContain("it did not become healthy within 1 s");
  }, 60_000);

test("watches for bake-time, and takes back a release that turns bad within it", async () => {
  await there.deployed("turnsbad", { version: "turnsbad", "bake-time": "0s", "keep-releases": "9" });
  await there.wentBack();
  const checks = { "health-interval": "100ms", "health-threshold": "3" };
  const ended = await there.back({ to: "turnsbad", "bake-time": "20s", ...checks });
  expect(ended.outputs).toMatchObject({ status: "rolled-back", release: "turnsbad", "failed-gate": "bake" });
  expect(ended.outputs.reason).toMatch(/turned bad under traffic: 3 wrong answers in a row; last seen: status 500/);
  expect((await lookAt(host)).serves).toBe(newer);
}, 120_000);

test("runs verify-command with URL before it commits, and goes back when it fails or outlasts verify-command-timeout", async () => {
  const command = `curl --silent --dump-header - --output /dev/null "$URL/version" >${folder}/answer; exit 7`;
  const failed = await stopped("verify-command", { "verify-command": command, to: older });
  expect(told("answer")).toMatch(new RegExp(`^x-release: ${older}\\r$`, "im"));
  expect(failed.outputs.reason).toContain("verify-command: exit status 7");
  const late = { "verify-command": "sleep 600", "verify-command-timeout": "1s", to: older };
  expect((await stopped("verify-command", late)).outputs.reason).toContain("no end within 1 s");
}, 60_000);

test("waits lock-timeout for a deploy or another rollback, and says who holds the lock", async () => {
  const LOCK = "/var/lib/hello-devops/web/lock";
  const held = docker(["exec", host.container, "flock", LOCK, "-c", "echo $$ >/run/bed/held; exec sleep 600"]).catch(
    () => "",
  );
  await until("the lock is held", async () => (await lookAt(host)).locked);
  const refused = await there.back({ "lock-timeout": "1s" });
  expect(refused.outputs).toMatchObject({ status: "failed", "failed-gate": "guard" });
  expect(refused.outputs.reason).toContain('another deploy of "web" held the lock for all of 1 s');
  await inBox(host, "bash", "-c", "pkill -P $(cat /run/bed/held) ; kill $(cat /run/bed/held)");
  await held;
}, 60_000);

test("undoes the rollback of a runner that fell silent, once its lease has run out", async () => {
  const step = there.startBack({ lease: "5s", "bake-time": "5m", to: older });
  await step.reaches("bake");
  step.kill("SIGSTOP");
  const fellSilent = performance.now();
  await until("what served before serves again", async () => (await lookAt(host)).serves === newer, 30_000);
  expect(performance.now() - fellSilent).toBeGreaterThan(3000);
  step.kill("SIGCONT");
  expect((await step.ended).outputs.status).toBe("rolled-back");
}, 60_000);

test("writes a summary, with the commits that are taken back by github-token, and none when summary is false", async () => {
  const env = { GITHUB_API_URL: github };
  const ended = await there.back({ to: older, "github-token": "ghs_of_the_job" }, env);
  expect(api.asked).toEqual([`/repos/acme/web/compare/${newer}...${older} token ghs_of_the_job`]);
  for (const part of [`web ${older}: ✅ brought back`, digest("echo1"), "Sell less", "retire"])
    expect(ended.summary).toContain(part);
  const quiet = await there.back({ to: newer, summary: "false", "github-token": "" }, env);
  expect([quiet.outputs.status, quiet.summary]).toEqual(["deployed", ""]);
  expect(api.asked).toHaveLength(1);
}, 60_000);
