import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import type { BedHost } from "../bed/bed";
import { docker } from "../bed/run";
import { bed } from "../support/bad-day";
import { cutWire, heal } from "../support/faults";
import {
  a,
  b,
  deploy,
  deployed,
  fleet,
  freshFleet,
  held,
  holdIn,
  hostsOf,
  inputs,
  journalIsGone,
  loads,
  noneFailed,
  release,
  start,
  theyServe,
} from "../support/fleet";
import { inBox, whoServes } from "../support/outside";
import { rollbackInputs } from "../support/rollback";
import { type Inputs, startPost, startStep } from "../support/runner";
import { SECOND_PORT, secondWayIn } from "../support/sshd";

const back = ["rolled-back", "rolled-back"];
const statuses = (ended: Parameters<typeof hostsOf>[0]) => hostsOf(ended).map(({ status }) => status);

beforeAll(freshFleet, 120_000);
beforeEach(async () => {
  await Promise.all(fleet.flatMap((host) => [heal(host), release(host)]));
  const now = await Promise.all(fleet.map(whoServes));
  if (now.join() !== "echo1,echo1") await deployed("echo1");
}, 120_000);

test("both hosts get the release, no request fails, and the log says how far apart they committed", async () => {
  const running = loads();
  const ended = await deployed("echo2");
  expect(statuses(ended)).toEqual(["deployed", "deployed"]);
  expect(ended.log).toMatch(/^The first and the last of 2 hosts committed \d+ ms apart\.$/m);
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 90_000);

test("with traffic-steps both hosts share their traffic, are judged together, and no single host is to blame", async () => {
  const running = loads();
  const steps = { "traffic-steps": "10, 100", "step-duration": "1m" }; // it ends when enough was seen, on a busy machine later
  const ended = await deploy("errors5", steps);
  const results = await Promise.all(running.map((load) => load.stop()));
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "traffic" });
  expect(ended.outputs.reason).toMatch(/^Stopped at 10 % of the traffic, after \d+ requests of the candidate\. /);
  expect(statuses(ended)).toEqual(back);
  for (const { address } of fleet) expect(ended.log).toContain(`${address}: 10 % of the traffic goes to errors5`);
  for (const { byRelease, failed } of results) expect(failed).toBeLessThanOrEqual((byRelease.errors5 ?? 0) / 20);
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 90_000);

test("a release that is bad on one host only goes back on both, and the reason names the host", async () => {
  const running = loads();
  await inBox(a, "bash", "-c", "mkdir -p /srv/flag && touch /srv/flag/ok");
  await inBox(b, "mkdir", "-p", "/srv/flag");
  const command = "sh -c 'test -e /flag/ok && exec node /srv/misbehave.mjs well 2; exit 3'";
  const ended = await deploy("echo2", { volumes: "/srv/flag:/flag:ro", command });
  expect([ended.code, ended.outputs.status, statuses(ended)]).toEqual([1, "rolled-back", back]);
  expect(ended.outputs.reason).toMatch(new RegExp(`^${b.address}: The candidate ended with exit status 3`));
  expect(ended.log).toContain(`${b.address}: The candidate ended with exit status 3`);
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 90_000);

test("a host that can't be reached at the start stops the deploy before anything is changed on the other", async () => {
  await inBox(b, "bed-ctl", "sshd", "stop");
  try {
    const ended = await deploy("echo2");
    expect([ended.code, ended.outputs.status, ended.outputs["failed-gate"]]).toEqual([1, "failed", "connect"]);
    expect(ended.outputs.reason).toMatch(new RegExp(`^${b.address}: .*connection was refused`));
  } finally {
    await inBox(b, "bed-ctl", "sshd", "start");
  }
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 90_000);

test("with wave-size 1 the second host gets traffic only when the first was watched, and nothing is committed before", async () => {
  const step = start("echo2", { "wave-size": "1", "bake-time": "3s" });
  await step.reaches("bake");
  expect(await Promise.all(fleet.map(whoServes))).toEqual(["echo2", "echo1"]);
  expect(await inBox(a, "readlink", "/var/lib/hello-devops/web/current")).toMatch(/echo1/);
  expect(statuses(await step.ended)).toEqual(["deployed", "deployed"]);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 90_000);

test("releases that differ at the start end on one, and the host that has it already is left alone", async () => {
  const alone = { hosts: `${a.address}:${a.port}` };
  await deployed("echo2", alone);
  expect(await theyServe()).toEqual(["echo2", "echo1"]);
  const ended = await deployed("echo2");
  expect(statuses(ended)).toEqual(["unchanged", "deployed"]);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 90_000);

/** The first host's guard is held in PREPARE while this happens to the second one, which is prepared. */
async function betweenThem(fault: () => Promise<unknown>): Promise<void> {
  await held(a);
  await fault();
  await release(a);
}
const cut = () => inBox(b, "bash", "-c", cutWire);

test("a host that loses its power when the other has committed is committed when it is back", async () => {
  await holdIn("COMMIT", b);
  const step = start("echo2", { lease: "15s" });
  await held(b);
  await step.says(new RegExp(`^${a.address}: echo2\\S* is committed`, "m"));
  await docker(["kill", b.container]);
  await docker(["start", b.container]);
  const ended = await step.ended;
  expect([ended.outputs.status, statuses(ended)]).toEqual(["deployed", ["deployed", "deployed"]]);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 120_000);

test("a host that went back by itself, its wire cut between prepare and commit, takes the committed one back with it", async () => {
  const running = loads();
  await holdIn("PREPARE", a);
  const step = start("echo2");
  await betweenThem(cut);
  await step.says(new RegExp(`^${a.address}: echo2\\S* is committed`, "m"));
  await journalIsGone(b);
  await heal(b);
  const ended = await step.ended;
  expect([ended.code, ended.outputs.status, statuses(ended)]).toEqual([1, "rolled-back", back]);
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 120_000);

/** The one window: the runner dies when one host has committed, and the other has not heard of it. */
async function killedBetween(more: Inputs = {}, env: Inputs = {}): Promise<Readonly<Record<string, string>>> {
  await holdIn("PREPARE", a);
  const step = start("echo2", more, env);
  await betweenThem(cut);
  await step.says(new RegExp(`^${a.address}: echo2\\S* is committed`, "m"));
  step.kill("SIGKILL");
  const { state } = await step.ended;
  await journalIsGone(b);
  await heal(b);
  expect(await theyServe()).toEqual(["echo2", "echo1"]);
  return state;
}

test("a runner killed between two commits leaves the hosts apart, and post brings them to the committed release", async () => {
  const running = loads();
  const state = await killedBetween();
  const post = await startPost("deploy-ec2", inputs("echo2"), state).ended;
  expect(post.log).toContain("The runner died between two commits.");
  expect(post.log).toContain("All hosts are on one release.");
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 120_000);

test("what post deploys again has the env that AWS has, and where AWS refuses it the hosts stay apart and post says why", async () => {
  const aws = await FakeAws.start({ hosts: [] });
  try {
    const parameter = { Name: "/fleet/COLOUR", Value: "turquoise", Type: "SecureString" } as const;
    await new SSMClient(aws.moto).send(new PutParameterCommand(parameter));
    const more = { "env-ssm-path": "/fleet" };
    const state = await killedBetween(more, aws.env);
    const post = () => startPost("deploy-ec2", inputs("echo2", more), state, aws.env).ended;
    aws.fail("ssm:GetParametersByPath", { code: "AccessDeniedException" });
    expect((await post()).log).toMatch(/^::warning::The hosts are on different releases: env-ssm-path: \/fleet: ssm:/m);
    expect(await theyServe()).toEqual(["echo2", "echo1"]);
    expect((await post()).log).toContain("All hosts are on one release.");
    for (const host of fleet)
      expect(await (await fetch(`${host.url}/env`)).json()).toMatchObject({ COLOUR: "turquoise" });
  } finally {
    await aws.end();
  }
}, 120_000);

test("a runner killed between two commits leaves the hosts apart, and the next run ends them on one release", async () => {
  const running = loads();
  await killedBetween();
  expect(statuses(await deployed("echo2"))).toEqual(["unchanged", "deployed"]);
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 120_000);

test("two deploys at once that name the hosts in opposite order follow each other", async () => {
  const one = start("echo2");
  const other = start("good2", { hosts: [b, a].map(({ address, port }) => `${address}:${port}`).join("\n") });
  const ended = await Promise.all([one.ended, other.ended]);
  expect(ended.some(({ outputs }) => outputs.status === "deployed")).toBe(true);
  expect(ended.every(({ log }) => !log.includes("lock-timeout"))).toBe(true);
  const [first, second] = await theyServe();
  expect(first).toBe(second);
}, 90_000);

test("a machine that hosts names twice, by two ports, is refused before anything is changed", async () => {
  await secondWayIn(a);
  const ended = await deploy("echo2", {
    hosts: `${a.address}:${a.port}, ${a.address}:${SECOND_PORT}`,
    "ssh-known-hosts": await fingerprintOf(),
  });
  expect(ended.outputs.reason).toContain("hosts names this machine twice");
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 90_000);

const fingerprintOf = async (): Promise<string> =>
  (await inBox(a, "bash", "-c", "ssh-keygen -lf /var/lib/bed/ssh_host_ed25519_key.pub")).split(" ")[1] ?? "";

const backInputs = (more: Inputs = {}): Inputs => {
  const { hosts = "" } = inputs("echo1");
  return { ...rollbackInputs(bed, a, more), hosts };
};
const goBack = (more: Inputs = {}) => startStep("rollback-ec2", backInputs(more));

test("a rollback brings both hosts back, with wave-size 1 one after the other, and commits both at the end", async () => {
  await deployed("echo2");
  const running = loads();
  const step = goBack({ "wave-size": "1", "bake-time": "3s" });
  await step.reaches("bake");
  expect(await Promise.all(fleet.map(whoServes))).toEqual(["echo1", "echo2"]);
  expect(await inBox(a, "readlink", "/var/lib/hello-devops/web/current")).toMatch(/echo2/);
  const ended = await step.ended;
  expect([ended.code, statuses(ended)]).toEqual([0, ["deployed", "deployed"]]);
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo1", "echo1"]);
}, 120_000);

test("a rollback that is bad on one host leaves both as they were", async () => {
  await deployed("echo2");
  await inBox(b, "docker", "network", "disconnect", "-f", "hello-devops-web", await containerBefore(b));
  const running = loads();
  const ended = await goBack({ "start-timeout": "2s" }).ended;
  expect([ended.code, ended.outputs.status, statuses(ended)]).toEqual([1, "rolled-back", back]);
  expect(ended.outputs.reason).toMatch(new RegExp(`^${b.address}: `));
  await noneFailed(running);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
  await freshFleet();
}, 180_000);

test("hosts that would go back to different releases are told, and the one that to names ends on all", async () => {
  await deployed("echo2");
  await deployed("echo1", { hosts: `${b.address}:${b.port}`, version: "third" });
  const refused = await goBack().ended;
  expect([refused.code, refused.outputs["failed-gate"]]).toEqual([1, "preflight"]);
  expect(refused.outputs.reason).toMatch(
    /^to: the hosts would go back to different releases, .*: \S+ to echo1\S* \(echo1, deployed \S+\), \S+ to echo2\S* \(echo2, deployed \S+\)\. Name the one/,
  );
  expect(await theyServe()).toEqual(["echo2", "third"]);
  const ended = await goBack({ to: "echo2" }).ended;
  expect([ended.code, statuses(ended)]).toEqual([0, ["unchanged", "deployed"]]);
  expect(await theyServe()).toEqual(["echo2", "echo2"]);
}, 180_000);

/** Where a rollback of this host would go. */
async function containerBefore(host: BedHost): Promise<string> {
  const record = await inBox(host, "cat", "/var/lib/hello-devops/web/current/release.json");
  return `web-${(JSON.parse(record) as { previous: string }).previous}`;
}
