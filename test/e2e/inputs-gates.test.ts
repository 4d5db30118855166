import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { lookAt } from "../support/outside";
import { Quick } from "../support/quick";
import { recorder, seenBy } from "../support/recorder";
import type { Ended, Inputs } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const folder = mkdtempSync(join(tmpdir(), "hello-devops-verify-"));
const told = (name: string) => readFileSync(join(folder, name), "utf8");

beforeAll(async () => {
  await resetHost(host);
  await quick.deployed("echo1");
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await resetHost(host);
}, 60_000);

/** A deploy that a gate stops: what was live before is live after, and nothing of the candidate is left. */
async function stopped(gate: string, image: string, inputs: Inputs): Promise<Ended> {
  const before = await lookAt(host);
  const ended = await quick.deploy(image, { version: "refused", ...inputs });
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": gate, release: "refused" });
  expect(ended.code).toBe(1);
  expect(await lookAt(host)).toEqual(before);
  return ended;
}

test("asks health-path with health-host and health-headers, health-threshold times in a row, health-interval apart", async () => {
  const path = "/status?code=207&body=all%20ready";
  await quick.deployed("echo1", {
    command: recorder,
    version: "checked",
    "health-path": path,
    "health-host": "shop.example:8443",
    "health-headers": "X-Check: of the deploy\nAuthorization: Bearer abc.def",
    "health-status": "200, 205-207",
    "health-body": "^all ready$",
    "health-threshold": "4",
    "health-interval": "400ms",
  });
  const checks = (await seenBy(host.url)).filter(({ url }) => url === path);
  const [direct, proxied] = [false, true].map((through) =>
    checks.filter(({ headers }) => "x-forwarded-for" in headers === through),
  );
  expect(direct).toHaveLength(4);
  expect(proxied?.length).toBeGreaterThan(0);
  const wanted = { host: "shop.example:8443", "x-check": "of the deploy", authorization: "Bearer abc.def" };
  for (const check of checks) expect(check.headers).toMatchObject(wanted);
  for (const [n, { at }] of (direct ?? []).slice(1).entries()) {
    expect(at - (direct?.[n]?.at ?? 0)).toBeGreaterThanOrEqual(300); // when it arrived: a busy wire may bunch two
  }
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
  test(`stops a release with ${what}`, async () => {
    const ended = await stopped("probe", "echo1", { command: recorder, "start-timeout": "1s", ...inputs });
    expect(ended.outputs.reason).toMatch(reason);
  }, 60_000);

test("waits start-timeout for an app that listens late, and no longer", async () => {
  const slow = { command: recorder, env: "LISTEN_AFTER=3000" };
  const ended = await stopped("probe", "echo1", { ...slow, "start-timeout": "1s" });
  expect(ended.outputs.reason).toContain("it did not become healthy within 1 s");
  await quick.deployed("echo1", { ...slow, "start-timeout": "30s", version: "late" });
  expect((await lookAt(host)).serves).toBe("late");
}, 60_000);

test("watches for bake-time, and takes back a release that turns bad within it", async () => {
  const inputs = { "bake-time": "20s", "health-interval": "100ms", "health-threshold": "3" };
  const ended = await stopped("bake", "turnsbad", inputs);
  expect(ended.outputs.reason).toMatch(/turned bad under traffic: 3 wrong answers in a row; last seen: status 500/);
  expect(Number(ended.outputs.duration)).toBeLessThan(20);
}, 60_000);

test("runs verify-command after the shift, with URL and without the inputs in its environment", async () => {
  const command = `curl --silent --dump-header - --output /dev/null "$URL/version" >${folder}/answer; env >${folder}/env; echo looks good`;
  const ended = await quick.deployed("echo2", { "verify-command": command, "bake-time": "0s" });
  expect(told("answer")).toMatch(/^x-release: echo2\r$/im);
  expect(told("env")).toContain(`\nURL=${host.url}\n`);
  expect(told("env")).not.toMatch(/^(INPUT|STATE)_/m);
  expect(told("env")).not.toContain("PRIVATE KEY");
  expect(ended.log).toContain("\n| looks good\n");
}, 60_000);

test("takes the release back when verify-command fails, and ends whatever it left running", async () => {
  const command = `sleep 600 & echo $! >${folder}/left; echo "cart is empty" >&2; exit 7`;
  const ended = await stopped("verify-command", "echo1", { "verify-command": command });
  expect(ended.outputs.reason).toContain("verify-command: exit status 7");
  expect(ended.log).toContain("\n| cart is empty\n");
  expect(Number(ended.outputs.duration)).toBeLessThan(60);
  expect(running(told("left"))).toBe(false);
}, 90_000);

test("ends verify-command with its whole process group after verify-command-timeout", async () => {
  const command = `sleep 600 & echo $! >${folder}/child; echo $$ >${folder}/parent; sleep 600`;
  const inputs = { "verify-command": command, "verify-command-timeout": "1s" };
  const ended = await stopped("verify-command", "echo1", inputs);
  expect(ended.outputs.reason).toContain("verify-command: no end within 1 s");
  expect([running(told("child")), running(told("parent"))]).toEqual([false, false]);
}, 60_000);

/** A zombie has ended: nobody but this machine's init has yet to fetch it. */
function running(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid.trim()}/status`, "utf8"));
  } catch {
    return false;
  }
}
