import { readFileSync } from "node:fs";
import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeSecurityGroupRulesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { resetHost } from "../bed/hosts";
import { AddressServices } from "../support/address-services";
import { myHost, theBed } from "../support/bed";
import { ManInTheMiddle } from "../support/man-in-the-middle";
import { inBox, lookAt, until } from "../support/outside";
import { actionsOf } from "../support/policy";
import { good, Quick } from "../support/quick";
import { basicInputs, type Inputs, startPost, startStep } from "../support/runner";

// The box takes no key but one that was sent less than 60 s ago, and nobody on port 22 but by a rule of the group: so a
// deploy that gets in has asked for both.
const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
let aws: FakeAws;
let services: AddressServices;
let group = "";
let env: Readonly<Record<string, string>> = {};
const asked = new Set<string>();

/** Nothing is stored for this. */
const NOTHING_STORED = { hosts: "", "ssh-key": "", "ssh-known-hosts": "" };

beforeAll(async () => {
  await resetHost(host);
  aws = await FakeAws.start({ hosts: [host] });
  const here = await aws.sourceSeenBy(host);
  services = await AddressServices.start({ answers: { "checkip.amazonaws.com": here, "icanhazip.com": here } });
  env = { ...aws.env, ...services.env };
}, 120_000);
beforeEach(async () => {
  group = await aws.securityGroup(`door-${process.hrtime.bigint()}`);
  await aws.lockDoor(host, group);
  await aws.keyless(host);
}, 30_000);
afterEach(async () => {
  for (const action of aws.iamActions) asked.add(action);
  aws.forget();
  await Promise.all([aws.openDoor(host), aws.keyed(host)]);
}, 30_000);
afterAll(async () => {
  await services?.end();
  await aws?.end();
  await resetHost(host);
}, 60_000);

const rules = async () => {
  const ec2 = new EC2Client(aws.moto);
  const Filters = [{ Name: "group-id", Values: [group] }];
  const { SecurityGroupRules = [] } = await ec2.send(new DescribeSecurityGroupRulesCommand({ Filters }));
  return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
};

/** An instance with this tag stands for the box, and has written its key to its parameter, as step by step it would. */
async function instance(name: string) {
  const launched = await aws.launch(host, { name });
  await aws.writeHostKey(host, launched.id);
  return launched;
}

const byTag = (name: string): Inputs => ({
  ...NOTHING_STORED,
  "ec2-filters": `tag:Name=${name}`,
  "ssh-security-group": group,
});
const called = (action: string) => aws.calls.filter((call) => call.action === action).length;

test("deploys by ec2-filters with nothing stored, through ssh-security-group, which is shut behind it", async () => {
  const { id, zone } = await instance("whole");
  const ended = await quick.deployed("echo1", byTag("whole"), env);
  expect(JSON.parse(ended.outputs.hosts ?? "")).toEqual([
    { host: id, status: "deployed", release: ended.outputs.release, name: "whole", zone },
  ]);
  expect(ended.log).toContain(`${id} (whole, ${zone}) is reached at ec2-user@${host.address}:22.`);
  expect(ended.log).toContain(`${id}: its host keys come from the SSM parameter /hello-devops/host-keys/${id}.`);
  expect(await rules()).toEqual([]);
  expect(await lookAt(host)).toMatchObject({ serves: "echo1", current: "echo1", journal: false, locked: false });
}, 60_000);

test("gets in neither without the rule nor without the key", async () => {
  const { id } = await instance("half");
  const inputs = { ...NOTHING_STORED, hosts: id, "connect-timeout": "2s", "dry-run": "true" };
  const shut = await quick.deploy("echo1", inputs, env);
  expect(shut.outputs.reason).toContain("does its security group let this runner in on port 22?");
  const stranger = { ...inputs, "ssh-key": readFileSync(host.keyFile, "utf8"), "ssh-security-group": group };
  const unsent = await quick.deploy("echo1", stranger, env);
  expect(unsent.outputs.reason).toContain('the user "ec2-user" with this ssh-key was refused');
  expect(await rules()).toEqual([]);
}, 60_000);

test("takes the host key from the console's first block where there is no parameter", async () => {
  const { id } = await aws.launch(host);
  const later = "\r\n-----BEGIN SSH HOST KEY KEYS-----\r\nssh-ed25519 AAAA\r\n-----END SSH HOST KEY KEYS-----\r\n";
  aws.console(id, `${await aws.bootConsole(host)}${later}`);
  const inputs = { ...NOTHING_STORED, hosts: `ec2-user@${id}:22`, "ssh-security-group": group, "dry-run": "true" };
  const ended = await quick.deploy("echo1", inputs, env);
  expect(ended.outputs.status).toBe("unchanged");
  expect(ended.log).toContain(`${id}: its host keys come from the console output of ${id}.`);
}, 60_000);

test("connects to nothing where AWS knows no key of the host, and says the ways out", async () => {
  const { id } = await aws.launch(host);
  const ended = await quick.deploy("echo1", { ...NOTHING_STORED, hosts: id, "ssh-security-group": group }, env);
  expect(ended.code).toBe(1);
  expect(ended.log).toContain(`ssh-known-hosts: there is no host key for ${id}`);
  expect(ended.log).toContain("- set ssh-known-hosts to the key's fingerprint");
  expect([called("ec2-instance-connect:SendSSHPublicKey"), await rules()]).toEqual([0, []]);
}, 30_000);

test("sends nothing to a man in the middle", async () => {
  const man = await ManInTheMiddle.start();
  try {
    const { id } = await aws.launch(host, { address: man.address });
    await aws.writeHostKey(host, id);
    const ended = await quick.deploy("echo1", { ...NOTHING_STORED, hosts: `${id}:${man.port}` }, env);
    expect(ended.outputs.reason).toContain(
      `which is not the one in the SSM parameter /hello-devops/host-keys/${id}. Nothing was sent to it.`,
    );
    expect(man).toMatchObject({ logins: [], channels: 0 });
    expect(man.connections).toBeGreaterThan(0);
  } finally {
    await man.end();
  }
}, 30_000);

test("sends its key again for a new connection, long after the first", async () => {
  await instance("again");
  expect((await quick.deploy("echo1", byTag("again"), env)).code).toBe(0); // it serves, if not already
  const step = quick.start("echo2", { ...byTag("again"), "bake-time": "20s" }, env);
  await step.reaches("bake");
  await aws.ageSentKeys(host, 61);
  const before = called("ec2-instance-connect:SendSSHPublicKey");
  await cutConnection();
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back" });
  expect(JSON.parse(ended.outputs.hosts ?? "")).toMatchObject([{ status: "rolled-back" }]);
  expect(ended.log).not.toContain("was not reached");
  expect(called("ec2-instance-connect:SendSSHPublicKey")).toBeGreaterThan(before);
}, 90_000);

/** Ends sshd's process of every connection. */
const cutConnection = () => inBox(host, "bash", "-c", "pkill -KILL -f '[s]shd: ec2-user'");

test("shuts the port in the post step when the step was killed", async () => {
  await instance("killed");
  const inputs = { ...basicInputs(bed, host, "echo1"), ...byTag("killed"), "bake-time": "20s", force: "true" };
  const step = startStep("deploy-ec2", inputs, env);
  await step.reaches("bake");
  expect(await rules()).toMatchObject([{ FromPort: 22, ToPort: 22, CidrIpv4: `${await aws.sourceSeenBy(host)}/32` }]);
  step.kill("SIGKILL");
  const { state } = await step.ended;
  expect(await rules()).toHaveLength(1);
  const post = await startPost("deploy-ec2", inputs, state, env).ended;
  expect(post.log).toContain(`What this step opened in ${group} is shut again.`);
  expect(await rules()).toEqual([]);
}, 90_000);

test("shuts the port in the post step when the step was killed as it opened it, whatever the inputs are by then", async () => {
  await instance("opening");
  aws.play("ec2:AuthorizeSecurityGroupIngress", async (_call, usual) => {
    await usual();
    return new Promise(() => {}); // its answer never comes
  });
  const inputs = { ...basicInputs(bed, host, "echo1"), ...byTag("opening") };
  const step = startStep("deploy-ec2", inputs, env);
  await step.reaches("open port");
  await until("the rule is there", async () => (await rules()).length === 1);
  step.kill("SIGKILL");
  const { state } = await step.ended;
  aws.forget();
  const post = await startPost("deploy-ec2", { ...inputs, image: "", "ec2-filters": "" }, state, env).ended;
  expect(post.log).not.toContain("This run did not get to its end");
  expect([post.code, await rules()]).toEqual([0, []]);
}, 60_000);

test("shuts the port when the job is cancelled", async () => {
  await instance("cancelled");
  const step = quick.start("echo2", { ...byTag("cancelled"), "bake-time": "20s", force: "true" }, env);
  await step.reaches("bake");
  step.kill("SIGINT");
  const ended = await step.ended;
  expect(ended.outputs.status).toBe("rolled-back");
  expect(await rules()).toEqual([]);
}, 60_000);

test("uses a person's rule that lets it in, and leaves it as it was", async () => {
  await instance("person");
  const cidr = `${await aws.sourceSeenBy(host)}/32`;
  const IpPermissions = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: cidr }] }];
  await new EC2Client(aws.client).send(new AuthorizeSecurityGroupIngressCommand({ GroupId: group, IpPermissions }));
  const before = await rules();
  const ended = await quick.deploy("echo1", { ...byTag("person"), "dry-run": "true" }, env);
  expect(ended.outputs.status).toBe("unchanged");
  expect(await rules()).toEqual(before);
}, 60_000);

test("two jobs at once don't shut each other's door", async () => {
  await instance("both");
  const first = quick.start("echo1", { ...byTag("both"), "bake-time": "4s", force: "true" }, env);
  await first.reaches("bake");
  const second = quick.start("echo2", { ...byTag("both"), "bake-time": "4s" }, env);
  expect((await first.ended).outputs.status).toBe("deployed");
  await second.reaches("bake");
  expect(await rules()).toHaveLength(1); // the first has gone by now
  expect((await second.ended).outputs.status).toBe("deployed");
  expect(await rules()).toEqual([]);
}, 90_000);

test("deploys, verifies and rolls back alike: by ec2-filters in aws-region, at address, through ssh-security-group", async () => {
  const { id } = await instance("alike");
  const elsewhere = { ...env, AWS_REGION: "eu-west-1" };
  const alike = { ...byTag("alike"), "aws-region": "us-east-1", address: "private" };
  const asked = { "verify-url": `${host.url}/health`, force: "true" };
  good(
    await startStep("deploy-and-verify", { ...basicInputs(bed, host, "good1"), ...alike, ...asked }, elsewhere).ended,
  );
  await quick.deployed("good2", alike, elsewhere);
  const back = good(await startStep("rollback-ec2", { ...alike, "start-timeout": "15s" }, elsewhere).ended);
  expect(JSON.parse(back.outputs.hosts ?? "")).toMatchObject([{ host: id, status: "deployed", name: "alike" }]);
  expect((await lookAt(host)).serves).toBe("good1");
  expect(await rules()).toEqual([]);
}, 120_000);

test("reaches an instance at its public or its private address, as address says", async () => {
  const { id } = await instance("inner");
  aws.play("ec2:DescribeInstances", async (_call, moto) => {
    const answer = await moto();
    return { ...answer, body: answer.body.replaceAll(/<ipAddress>[^<]*<\/ipAddress>/g, "") };
  });
  const inputs = { ...NOTHING_STORED, hosts: id, "ssh-security-group": group, "dry-run": "true" };
  const nowhere = await quick.deploy("echo1", inputs, env);
  expect(nowhere.log).toContain(`address: the instance ${id} has no public IPv4 address.`);
  const inside = await quick.deploy("echo1", { ...inputs, address: "private" }, env);
  expect(inside.outputs.status).toBe("unchanged");
}, 60_000);

test("asks aws-region before the environment's, and says which region knows no such instance", async () => {
  const { id } = await instance("elsewhere");
  const ended = await quick.deploy("echo1", { ...NOTHING_STORED, hosts: id, "aws-region": "eu-west-1" }, env);
  expect(ended.code).toBe(1);
  expect(ended.log).toContain(`hosts: AWS knows no such instance in the region eu-west-1 (${id})`);
  expect(aws.calls.map(({ region }) => region)).toEqual(["eu-west-1"]);
}, 30_000);

test("says what to do without credentials, with a filter that finds nothing, and where AWS is slow", async () => {
  await instance("there");
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, AWS_SESSION_TOKEN: _token, ...nobody } = env;
  const dry = { ...byTag("there"), "dry-run": "true" };
  const stranger = await quick.deploy("echo1", dry, nobody);
  expect(stranger.log).toContain("this job has no AWS credentials");
  expect(stranger.log).toContain("aws-actions/configure-aws-credentials");
  const none = await quick.deploy("echo1", { ...dry, "ec2-filters": "tag:Name=nobody" }, env);
  expect(none.log).toContain("no running instance in the region us-east-1 matches tag:Name=nobody");
  aws.fail("ec2:DescribeInstances", { code: "RequestLimitExceeded", status: 503, times: 2 });
  aws.fail("ec2:AuthorizeSecurityGroupIngress", { code: "InternalError", status: 500 });
  expect((await quick.deploy("echo1", dry, env)).outputs.status).toBe("unchanged");
}, 60_000);

test("hears a cancel while AWS does not answer, and touches nothing", async () => {
  aws.fail("ec2:DescribeInstances", { hangs: true, times: Number.POSITIVE_INFINITY });
  const step = quick.start("echo1", byTag("whole"), env);
  await until("AWS is asked", async () => called("ec2:DescribeInstances") > 0);
  const asked = performance.now();
  step.kill("SIGINT");
  const ended = await step.ended;
  expect(performance.now() - asked).toBeLessThan(7_500); // then the runner would send SIGTERM
  expect(ended.outputs).toMatchObject({ status: "failed", reason: "the job was cancelled (SIGINT)." });
  expect([ended.code, await rules()]).toEqual([1, []]);
}, 30_000);

test("the policy in docs/access.md allows what was asked for in these tests, and no more", () => {
  expect(actionsOf("docs/access.md", "policy")).toEqual([...asked].sort());
});
