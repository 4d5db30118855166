import { cpSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { judge } from "../support/judge";
import { root } from "../unit/workflows/files";
import { type Asked, Caller, type Ran, removeImages } from "./act";
import { imagesOf, secretsFor, varsFor, writeApp, writeCaller } from "./callers";
import { patchedAct } from "./patched-act";

jest.setTimeout(240_000);
const bed = theBed();
const host = myHost(bed);
const [tested, planned, built, joined, deployed] = [
  "Test/Test/Run the tests",
  "Build/Build/Look at what is asked for",
  "Build/Build/Build for linux/amd64",
  "Build/Build/Hand on the digest",
  "Deploy/Deploy/Deploy to production",
];
/** A job that calls a workflow has a result of its own where it is skipped. */
const [build, staging, deploy, tell] = [
  "Pipeline/Pipeline/Build",
  "Pipeline/Pipeline/Staging",
  "Pipeline/Pipeline/Deploy",
  "Pipeline/Pipeline/Tell of what failed before the deploy",
];
const untilDeploy = { [tested]: "success", [planned]: "success", [built]: "success", [joined]: "success" };
const reached = { ...untilDeploy, [staging]: "skipped", [tell]: "skipped" };

let caller: Caller;
const messages: { readonly text: string; readonly attachments: readonly { readonly text: string }[] }[] = [];
const slack = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    messages.push(JSON.parse(body));
    response.end("ok");
  });
});
let webhook = "";

beforeAll(patchedAct, 600_000);
beforeAll(async () => {
  await resetHost(host);
  await new Promise<void>((listening) => slack.listen(0, "127.0.0.1", listening));
  webhook = `http://127.0.0.1:${(slack.address() as AddressInfo).port}/T0/B0/s3cretpath`;
}, 60_000);
beforeEach(() => {
  caller = new Caller();
  messages.length = 0;
});
afterEach(() => caller.end());
afterAll(async () => {
  slack.close();
  await resetHost(host);
  await removeImages(imagesOf(bed));
}, 60_000);

async function push(workflow: string, more: Partial<Asked> = {}): Promise<Ran> {
  caller.commit();
  return caller.run({
    workflow,
    vars: varsFor(host),
    payload: { repository: { visibility: "public" } },
    ...more,
    secrets: { ...secretsFor(bed, host), SLACK_WEBHOOK_URL: webhook, ...more.secrets },
  });
}

const serves = async (app = "shop"): Promise<string> => (await judge(host, app)).version;

/** No secret in what a person reads, and none in what the runner is told to set. */
function keepsSecrets({ log }: Ran): void {
  const said = log.replace(/^.*(add-mask|⚙ {2}\*\*\*).*$/gm, "");
  for (const secret of [bed.registry.password, "s3cretpath", "OPENSSH PRIVATE KEY"]) expect(said).not.toContain(secret);
}

function toldLoudlyOnce(what: RegExp, reason: string): void {
  expect(messages).toHaveLength(1);
  const [loud, text] = [":rotating_light: <!channel> ", messages[0]?.text ?? ""];
  expect(text.slice(0, loud.length)).toBe(loud);
  expect(text.slice(loud.length)).toMatch(what);
  expect(messages[0]?.attachments[0]?.text).toContain(reason);
}

test("a push is tested, built, deployed and verified, and the sample app is live in seconds", async () => {
  cpSync(join(root, "app"), caller.folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  writeCaller(caller, bed, host, "pipeline.yml", { "test-command": "npm run build" });
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({ ...reached, [deployed]: "success" });
  expect(ran.code).toBe(0);
  const commit = /set-output:: version=([0-9a-f]{40})/.exec(ran.log)?.[1];
  expect(await serves()).toBe(commit);
  expect(ran.log).toMatch(/attested \S+\/shop@(sha256:[0-9a-f]{64})/);
  const [, digest] = /attested \S+@(sha256:[0-9a-f]{64})/.exec(ran.log) ?? [];
  expect(ran.summary).toContain(`<code>${digest}</code>`);
  expect(ran.log).toContain("set-output:: verify-status=healthy");
  expect(messages).toEqual([]); // failures alone are told
  keepsSecrets(ran);
  const stages = [tested, built, deployed].map(
    (name) => `${name.split("/").at(-1)} ended at ${ran.ends[name]?.toFixed(1)} s`,
  );
  console.log(`push to live of the sample app: ${stages.join(", ")} (1 s of it is bake-time)`);
});

test("with a role to assume, ECR's own login pushes and pulls, and is in no log", async () => {
  writeApp(caller, bed, "echo1");
  const image = `${imagesOf(bed)}/the.dkr.ecr.played/shop`; // ECR's name, as far as a path can bear it
  const role = { "role-to-assume": "arn:aws:iam::123456789012:role/deploy", "aws-region": "eu-central-1" };
  writeCaller(caller, bed, host, "pipeline.yml", { ...role, image });
  const { address, password } = bed.registry;
  const ran = await push("pipeline.yml", {
    ecr: { endpoint: `https://${address}`, password },
    secrets: { REGISTRY_USERNAME: "", REGISTRY_PASSWORD: "" },
  });
  expect(ran.jobs).toEqual({ ...reached, [deployed]: "success" });
  expect(await serves()).toBe(/set-output:: version=([0-9a-f]{40})/.exec(ran.log)?.[1]);
  const logins = [...ran.log.matchAll(/^(\w+)\/.*Success - Main (.*(?:role|ECR|registry)) /gm)].map(([, job, step]) => [
    job,
    step,
  ]);
  const pushes = [
    ["Build", "Assume the AWS role"],
    ["Build", "Log in to ECR"],
  ]; // by the job that builds, and by the one that attests
  expect(logins).toEqual([...pushes, ...pushes, ["Deploy", "Assume the AWS role"], ["Deploy", "Get a login for ECR"]]);
  keepsSecrets(ran);
});

test("a test that fails stops build and deploy, and Slack is told once that the tests did", async () => {
  const before = await serves();
  writeApp(caller, bed, "echo1");
  caller.write("shop.test.js", 'require("node:test")("sells", () => { throw new Error("sold out"); });\n');
  writeCaller(caller, bed, host, "pipeline.yml");
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({
    [tested]: "failure",
    [build]: "skipped",
    [staging]: "skipped",
    [deploy]: "skipped",
    [tell]: "success",
  });
  expect(ran.code).toBe(1);
  expect(ran.log).toMatch(/::error title=Tests failed::The commit [0-9a-f]{12} did not pass\./);
  expect(ran.summary).toContain("`npm test` did not pass");
  expect(await serves()).toBe(before);
  toldLoudlyOnce(
    /^\*acme\/shop, the tests failed or were cancelled\*$/,
    "Nothing was deployed. production runs what it ran before.",
  );
  keepsSecrets(ran);
});

test("a build that fails stops the deploy, and Slack is told once that the build did", async () => {
  const before = await serves();
  writeApp(caller, bed, "echo1");
  caller.write("Dockerfile", `FROM ${bed.images.echo1?.tag}\nRUN exit 3\n`);
  writeCaller(caller, bed, host, "pipeline.yml");
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({
    ...untilDeploy,
    [built]: "failure",
    [joined]: "skipped",
    [staging]: "skipped",
    [deploy]: "skipped",
    [tell]: "success",
  });
  expect(ran.code).toBe(1);
  expect(ran.log).toContain("::error title=Build failed::");
  expect(await serves()).toBe(before);
  toldLoudlyOnce(
    /^\*acme\/shop, the build failed or was cancelled\*$/,
    "Nothing was deployed. production runs what it ran before.",
  );
  keepsSecrets(ran);
});

test("a bad release goes back, the run is red, and Slack is told once and loudly", async () => {
  const before = await serves();
  writeApp(caller, bed, "broken");
  writeCaller(caller, bed, host, "pipeline.yml", { "start-timeout": "3s" });
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({ ...reached, [deployed]: "failure" });
  expect(ran.code).toBe(1);
  expect(ran.log).toContain("::error title=Deploy rolled back%3A probe::");
  expect(await serves()).toBe(before);
  toldLoudlyOnce(/^\*acme\/shop to production, rolled-back at probe\*$/, "still serves");
  keepsSecrets(ran);
});

test("a release that staging does not take never gets to production, and Slack is told once, by staging", async () => {
  const before = await serves();
  writeApp(caller, bed, "broken");
  writeCaller(caller, bed, host, "pipeline.yml", { "staging-environment": "staging", "start-timeout": "3s" });
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({
    ...untilDeploy,
    "Staging/Deploy/Deploy to staging": "failure",
    [deploy]: "skipped",
    [tell]: "skipped",
  });
  expect(ran.code).toBe(1);
  expect(await serves()).toBe(before);
  toldLoudlyOnce(/^\*acme\/shop to staging, rolled-back at probe\*$/, "still serves");
});

test("a release that staging takes goes on to production, as the very same image", async () => {
  writeApp(caller, bed, "echo2");
  writeCaller(caller, bed, host, "pipeline.yml", { "staging-environment": "staging" });
  const ran = await push("pipeline.yml");
  expect(ran.jobs).toEqual({
    ...untilDeploy,
    "Staging/Deploy/Deploy to staging": "success",
    [deployed]: "success",
    [tell]: "skipped",
  });
  const told = [...ran.log.matchAll(/^(\w+)\/.*set-output:: status=(\w+)$/gm)].map(([, job, status]) => [job, status]);
  expect(told).toEqual([
    ["Staging", "deployed"],
    ["Deploy", "unchanged"], // here both are one host
  ]);
});

test("a secret that is not there ends in one sentence, before any host is touched", async () => {
  writeApp(caller, bed, "echo1");
  writeCaller(caller, bed, host, "pipeline.yml");
  const ran = await push("pipeline.yml", { secrets: { SSH_KEY: "" } });
  expect(ran.jobs).toEqual({ ...reached, [deployed]: "failure" });
  expect(ran.log).toMatch(
    /::error title=Nothing was deployed::ssh-key: it is blank\. .*environment "production" does not get here/,
  );
  expect(ran.log.match(/::error /g)).toHaveLength(1);
  expect(messages).toHaveLength(1);
});

test("a rollback by hand brings the release before back, and list only tells", async () => {
  writeCaller(caller, bed, host, "pipeline.yml");
  const pushed = async (image: string) => {
    writeApp(caller, bed, image);
    expect((await push("pipeline.yml")).code).toBe(0);
    return serves();
  };
  const before = await pushed("echo1");
  const after = await pushed("echo2");
  expect(after).not.toBe(before);
  writeCaller(caller, bed, host, "rollback.yml");
  const back = { event: "workflow_dispatch" as const, vars: { ...varsFor(host) } };
  const listed = await push("rollback.yml", { ...back, inputs: { list: "true", to: "", reason: "" } });
  expect(listed.log).toMatch(/to: -1 {3}[0-9a-f]{12}/);
  expect(await serves()).toBe(after);
  const ran = await push("rollback.yml", { ...back, inputs: { list: "false", to: "", reason: "it sells less" } });
  expect(ran.jobs).toEqual({ "Roll back production/Roll back/Roll back production": "success" });
  expect(await serves()).toBe(before);
  expect(messages.at(-1)?.text).toContain("rollback done");
});
