import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { lookAt } from "../support/outside";
import { PlayedEcr } from "../support/played-ecr";
import { actionsOf } from "../support/policy";
import { Quick } from "../support/quick";
import type { Ended } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const workspace = mkdtempSync(join(tmpdir(), "hello-devops-workspace-"));
let aws: FakeAws;
let ecr: PlayedEcr;
let env: Readonly<Record<string, string>> = {};
const asked = new Set<string>();

beforeAll(async () => {
  await resetHost(host, { images: true }); // what ECR has must be pulled
  aws = await FakeAws.start({ hosts: [host] });
  ecr = await PlayedEcr.start(host, bed.registry.address);
  env = { ...aws.env, GITHUB_WORKSPACE: workspace };
}, 120_000);
afterEach(() => {
  for (const action of aws.iamActions) asked.add(action);
  aws.forget();
});
afterAll(async () => {
  rmSync(workspace, { recursive: true, force: true });
  await ecr?.end();
  await aws?.end();
  await resetHost(host);
}, 60_000);

const parameter = (Name: string, Value: string) =>
  new SSMClient(aws.moto).send(new PutParameterCommand({ Name, Value, Type: "SecureString", Overwrite: true }));
const secret = (Name: string, value: object) =>
  new SecretsManagerClient(aws.moto).send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
const arrived = async () => (await (await fetch(`${host.url}/env`)).json()) as Record<string, string>;

/** All that a step leaves behind, but for what tells the runner which texts to mask. */
const leftBy = ({ log, outputs, state, summary }: Ended): string =>
  [log.replace(/^::add-mask::.*$/gm, ""), JSON.stringify([outputs, state]), summary].join("\n");

test("takes env-ssm-path, env-secrets-manager, env-file and env, each of which wins over those before", async () => {
  const names = ["A", "B", "C", "D"];
  await Promise.all(names.map((name) => parameter(`/order/${name}`, `${name} of ssm`)));
  await secret("order/first", { B: "of a secret", C: "of a secret", D: "of a secret", E: "of a secret" });
  await secret("order/second", { E: "of a later secret" });
  writeFileSync(join(workspace, "app.env"), "C=of the file\nD=of the file\n");
  const inputs = { "env-ssm-path": "/order/", "env-secrets-manager": "order/first, order/second" };
  await quick.deployed("echo1", { ...inputs, "env-file": "app.env", env: "D=of the input" }, env);
  const wanted = { A: "A of ssm", B: "of a secret", C: "of the file", D: "of the input", E: "of a later secret" };
  expect(await arrived()).toMatchObject(wanted);
}, 120_000);

test("masks what env-ssm-path and env-secrets-manager bring, line by line, whoever prints it", async () => {
  const [password, key] = ["Tr0ub4dor&3", "first line of a key\nsecond line of a key"];
  await parameter("/masked/PASSWORD", password);
  await secret("masked", { KEY: key });
  const inputs = {
    ...{ "env-ssm-path": "/masked", "env-secrets-manager": "masked" },
    "pre-deploy": `sh -c 'echo "told: $PASSWORD"; echo "$KEY"'`,
  };
  const ended = await quick.deployed("echo2", inputs, env);
  expect(await arrived()).toMatchObject({ PASSWORD: password, KEY: key });
  for (const text of [password, ...key.split("\n")]) {
    expect(ended.log).toContain(`::add-mask::${text}\n`);
    expect(leftBy(ended)).not.toContain(text);
  }
  expect(ended.log).toContain("| told: ***");
}, 60_000);

test("a value that changed in AWS is a change, in a dry run too, and one that did not is none", async () => {
  await parameter("/changes/COLOUR", "turquoise");
  const inputs = { "env-ssm-path": "/changes" };
  await quick.deployed("echo1", inputs, env);
  const same = await quick.deploy("echo1", { ...inputs, "dry-run": "true" }, env);
  expect(same.log).not.toContain("Would start web-");
  expect((await quick.deploy("echo1", inputs, env)).outputs.status).toBe("unchanged");
  await parameter("/changes/COLOUR", "vermilion");
  const dry = await quick.deploy("echo1", { ...inputs, "dry-run": "true" }, env);
  expect(dry.log).toContain("Would start web-");
  expect((await quick.deploy("echo1", inputs, env)).outputs.status).toBe("deployed");
  expect(await arrived()).toMatchObject({ COLOUR: "vermilion" });
}, 60_000);

test("touches no host when AWS does not have the env, and says where it looked", async () => {
  const before = await lookAt(host);
  const none = await quick.deploy("echo2", { "env-ssm-path": "/nowhere", "aws-region": "eu-west-1" }, env);
  expect([none.code, none.state.transaction]).toEqual([1, undefined]);
  expect(none.log).toContain("env-ssm-path: there is no parameter under /nowhere in the region eu-west-1.");
  const gone = await quick.deploy("echo2", { "env-secrets-manager": "gone" }, env);
  expect(gone.log).toContain("env-secrets-manager: gone: there is no such secret in the region us-east-1");
  expect(await lookAt(host)).toEqual(before);
}, 60_000);

const blank = { "registry-username": "", "registry-password": "" };
const inEcr = (image: string) => {
  const [, path = ""] = /^[^/]+\/(.+)$/.exec(bed.images[image]?.digest ?? "") ?? [];
  return { ...blank, image: `${ecr.name}/${path}`, version: image };
};

test("pulls from a private ECR registry with the login that AWS gives in its region", async () => {
  ecr.login(aws, bed.registry.password);
  const ended = await quick.deployed("echo1", inEcr("good1"), env);
  expect(aws.calls.map(({ action, region }) => [action, region])).toEqual([["ecr:GetAuthorizationToken", "eu-west-3"]]);
  expect(await lookAt(host)).toMatchObject({ serves: "good1", current: "good1" });
  const basic = Buffer.from(`AWS:${bed.registry.password}`).toString("base64");
  for (const text of [bed.registry.password, basic]) expect(leftBy(ended)).not.toContain(text);
}, 60_000);

test("says that the registry refused when AWS gives a login that it does not take", async () => {
  ecr.login(aws, "another-password");
  const ended = await quick.deploy("echo1", inEcr("good2"), env);
  expect(ended.outputs.status).toBe("failed");
  expect(ended.outputs.reason).toContain("with the login of the job's AWS role. Check that the role may pull");
  expect(await lookAt(host)).toMatchObject({ serves: "good1" });
}, 60_000);

test("the policy for this in docs/access.md allows what was asked for in these tests, and what Docker asks ECR for", () => {
  const byDocker = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
  expect(actionsOf("docs/access.md", "policy-of-env")).toEqual([...asked, ...byDocker].sort());
});
