import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { authority, certificate } from "../support/certificates";
import { judge, settled } from "../support/judge";
import { Load } from "../support/load";
import { lookAt } from "../support/outside";
import { Quick } from "../support/quick";
import { basicInputs, type Ended, type Inputs, type Step, startPost, startStep } from "../support/runner";
import { freePort, httpServer, httpsServer, inTurn, saying, stopServers } from "../support/servers";

jest.setTimeout(90_000);
const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const folder = mkdtempSync(join(tmpdir(), "hello-devops-root-"));

beforeAll(async () => {
  await resetHost(host);
  await quick.deployed("echo1", { version: "before" });
}, 60_000);
afterEach(stopServers);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await resetHost(host);
});

const inputs = (version: string, more: Inputs): Inputs => ({
  ...basicInputs(bed, host, "echo2"),
  version,
  "health-threshold": "1",
  "health-interval": "50ms",
  "bake-time": "0s",
  "drain-timeout": "2s",
  ...more,
});
const start = (version: string, more: Inputs, env: Inputs = {}): Step =>
  startStep("deploy-and-verify", inputs(version, more), env);

async function deployed(version: string, more: Inputs, env: Inputs = {}): Promise<Ended> {
  const ended = await start(version, more, env).ended;
  if (ended.outputs.status !== "deployed") throw new Error(`${version} should have been deployed:\n${ended.log}`);
  expect(ended.outputs["verify-status"]).toBe("healthy");
  expect((await judge(host)).version).toBe(version);
  return ended;
}

/** The gate says no: what served serves again, nothing is left of the candidate, and the step is red. */
async function stopped(more: Inputs, env: Inputs = {}): Promise<Ended> {
  const before = await lookAt(host);
  const load = new Load(host.url, { keepAlive: 2, fresh: 1, pause: 20 });
  const ended = await start("refused", { "verify-timeout": "1s", ...more }, env).ended;
  expect(await load.stop()).toMatchObject({ failed: 0 });
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "verify-url", release: "refused" });
  expect(ended.outputs.reason).toMatch(/\. \S+ still serves\.$/);
  expect(ended.code).toBe(1);
  expect(await lookAt(host)).toEqual(before);
  return ended;
}

const named = (version: string, body = "ok"): ReturnType<typeof saying> => saying(body, { "x-release": version });

test("asks verify-url once all traffic has moved, and commits what answers right under the new release's name", async () => {
  const ended = await deployed("proved", { "verify-url": `${host.url}/version\n${host.url}/health` });
  const results = JSON.parse(ended.outputs["verify-results"] ?? "") as object[];
  expect(results).toMatchObject([
    { url: `${host.url}/version`, status: "healthy", version: "proved" },
    { url: `${host.url}/health`, status: "healthy", version: "proved" },
  ]);
  const order = ["shift", "bake", "verify", "commit"].map((phase) => ended.log.indexOf(`::group::${phase}\n`));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(ended.summary).toContain("<td>verify-url http&#58;//");
});

test("takes the release back when another one answers at verify-url, however healthy", async () => {
  const { place, requests } = await httpServer(named("before"));
  const ended = await stopped({ "verify-url": `http://${place}/` });
  expect(ended.outputs["verify-status"]).toBe("unhealthy");
  expect(ended.outputs.reason).toContain(`X-Release is "before", not "refused"`);
  expect(ended.log).toMatch(/::error title=Deploy rolled back%3A verify-url::.*Another release answers/);
  expect(requests.length).toBeGreaterThan(0);
});

test("waits verify-timeout for a URL that is late, and no longer", async () => {
  const { place, requests } = await httpServer(inTurn(503, 503, named("late")));
  await deployed("late", { "verify-url": `http://${place}/`, "verify-timeout": "30s" });
  expect(requests).toHaveLength(3);
  const never = await httpServer(inTurn(503));
  const ended = await stopped({ "verify-url": `http://${never.place}/`, "verify-timeout": "2s" });
  expect(ended.outputs.reason).toContain("it did not become healthy within 2 s; last seen: status 503");
});

test("holds answers to verify-status, verify-body and verify-json, and sends verify-headers", async () => {
  const answer = saying('{"queue":{"depth":3}}', { "x-release": "expected" }, 207);
  const { place, requests } = await httpServer(answer);
  const right = {
    "verify-url": `http://${place}/`,
    "verify-status": "207",
    "verify-body": '"queue"',
    "verify-json": "queue.depth < 10",
    "verify-headers": "Authorization: Bearer t0psecret",
  };
  const ended = await deployed("expected", right);
  expect(requests[0]?.headers).toMatchObject({ authorization: "Bearer t0psecret" });
  expect(ended.log.replace(/::add-mask::.*/g, "")).not.toContain("t0psecret");
  const other = await httpServer(saying('{"queue":{"depth":30}}', { "x-release": "refused" }, 207));
  const toOther = { ...right, "verify-url": `http://${other.place}/` };
  expect((await stopped({ ...toOther, "verify-status": "200" })).outputs.reason).toContain("last seen: status 207");
  expect((await stopped({ ...toOther, "verify-body": "^pong" })).outputs.reason).toContain("the body does not match");
  expect((await stopped(toOther)).outputs.reason).toContain("queue.depth < 10 does not hold: it is 30");
});

test("asks for verify-min-certificate-days of the server's certificate", async () => {
  const ours = authority("ours");
  writeFileSync(join(folder, "ca.pem"), ours.pem);
  const trust = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") };
  const { place } = await httpsServer(certificate({ by: ours, to: 10 }), named("certified"));
  const url = { "verify-url": `https://${place}/` };
  await deployed("certified", { ...url, "verify-min-certificate-days": "9" }, trust);
  const next = await httpsServer(certificate({ by: ours, to: 10 }), named("refused"));
  const ended = await stopped({ "verify-url": `https://${next.place}/`, "verify-min-certificate-days": "11" }, trust);
  expect(ended.outputs.reason).toMatch(/certificate .*expires/);
});

test("takes the release back when this runner could not ask, and says that it is not known", async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const ended = await stopped({ "verify-url": `${host.url}/version` }, { HTTP_PROXY: nobody });
  expect(ended.outputs["verify-status"]).toBe("inconclusive");
  expect(ended.outputs.reason).toContain("can't be reached");
});

test("expects no name of an answer where release-header is off", async () => {
  const { place } = await httpServer(saying("ok"));
  await deployed("unnamed", { "verify-url": `http://${place}/`, "release-header": "off" });
  await deployed("named", { "verify-url": `${host.url}/version` });
});

test("asks verify-url of a release that runs already, too, and is red where it is not healthy, with nothing changed", async () => {
  await deployed("again", { "verify-url": `${host.url}/version` });
  const before = await lookAt(host);
  const good = await start("again", { "verify-url": `${host.url}/version` }).ended;
  expect([good.outputs.status, good.outputs["verify-status"], good.code]).toEqual(["unchanged", "healthy", 0]);
  const { place } = await httpServer(inTurn(500));
  const bad = await start("again", { "verify-url": `http://${place}/`, "verify-timeout": "1s" }).ended;
  expect(bad.outputs).toMatchObject({ status: "failed", "failed-gate": "verify-url", "verify-status": "unhealthy" });
  expect(bad.outputs.reason).toContain("again still serves");
  expect(bad.code).toBe(1);
  expect(await lookAt(host)).toEqual(before);
});

test("says in a dry run what it would ask, and asks nobody", async () => {
  const { place, requests } = await httpServer(inTurn(200));
  const ended = await start("planned", { "verify-url": `http://${place}/x?token=abc`, "dry-run": "true" }).ended;
  expect([ended.outputs.status, ended.code]).toEqual(["unchanged", 0]);
  expect(ended.log).toMatch(new RegExp(`^Would ask http://${place}/x\\S* before it commits$`, "m"));
  expect(requests).toEqual([]);
});

test("a job that is cancelled while it waits for verify-url leaves the release before it", async () => {
  const before = await lookAt(host);
  const { place } = await httpServer(inTurn(503));
  const step = start("cancelled", { "verify-url": `http://${place}/`, "verify-timeout": "5m" });
  await step.says(/last seen|503/);
  step.kill("SIGINT");
  const ended = await step.ended;
  expect([ended.outputs.status, ended.code]).toEqual(["rolled-back", 1]);
  expect(ended.log).toContain("::error title=Deploy cancelled in verify::");
  expect(await lookAt(host)).toEqual(before);
});

test("a runner that is killed while it waits for verify-url leaves a host that goes back, and a post that says so", async () => {
  const { version } = await judge(host);
  const { place } = await httpServer(inTurn(503));
  const given = inputs("killed", { "verify-url": `http://${place}/`, "verify-timeout": "5m" });
  const step = startStep("deploy-and-verify", given);
  await step.says(/last seen|503/);
  step.kill("SIGKILL");
  const { state } = await step.ended;
  await settled(host);
  expect(await judge(host)).toMatchObject({ version, wrong: [] });
  const post = await startPost("deploy-and-verify", given, state).ended;
  expect(post.code).toBe(0);
  expect(post.log).toContain(`runs ${version} (`);
});

test("a candidate that ends while verify-url is asked is taken back at once", async () => {
  const before = await lookAt(host);
  const { place } = await httpServer(inTurn(503));
  const step = start("dying", { "verify-url": `http://${place}/`, "verify-timeout": "5m" });
  await step.says(/last seen|503/);
  await docker(["exec", host.container, "docker", "kill", "web-dying"]);
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "start" });
  expect(ended.outputs.reason).toContain("exit status 137");
  expect(await lookAt(host)).toEqual(before);
});
