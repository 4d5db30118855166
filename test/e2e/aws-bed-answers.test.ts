import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeInstancesCommand,
  EC2Client,
  GetConsoleOutputCommand,
  paginateDescribeInstances,
} from "@aws-sdk/client-ec2";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { hostKeyOf } from "../bed/aws/console";
import { FakeAws } from "../bed/aws/fake-aws";
import { boxAddress } from "../bed/aws/instances";
import { jsonAnswer } from "../bed/aws/protocol";
import { run } from "../bed/run";
import { AddressServices } from "../support/address-services";
import { myHost, theBed } from "../support/bed";
import { ManInTheMiddle } from "../support/man-in-the-middle";
import { type Inputs, startStep } from "../support/runner";

type Variables = Readonly<Record<string, string>>;

const host = myHost(theBed());
let aws: FakeAws;
let ec2: EC2Client;

beforeAll(async () => {
  aws = await FakeAws.start({ hosts: [] });
  ec2 = new EC2Client({ ...aws.client, maxAttempts: 1 });
}, 120_000);
afterEach(() => aws.forget());
afterAll(() => aws?.end(), 30_000);

test("an instance that stands for a box carries its tags and the box's address", async () => {
  const { id } = await aws.launch(host, { name: "web", tags: { stage: "live" } });
  await aws.launchOthers(1, { name: "web", state: "stopped" });
  const Filters = [
    { Name: "tag:Name", Values: ["web"] },
    { Name: "instance-state-name", Values: ["running"] },
  ];
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ Filters }));
  const found = Reservations?.flatMap(({ Instances = [] }) => Instances) ?? [];
  const address = boxAddress(host);
  expect(found).toMatchObject([{ InstanceId: id, PublicIpAddress: address, PrivateIpAddress: address }]);
  expect(found[0]?.Tags).toEqual(expect.arrayContaining([{ Key: "stage", Value: "live" }]));
}, 30_000);

test("many instances come in pages", async () => {
  const launched = await aws.launchOthers(12, { tags: { crowd: "yes" } });
  const found: string[][] = [];
  const Filters = [{ Name: "tag:crowd", Values: ["yes"] }];
  for await (const { Reservations } of paginateDescribeInstances({ client: ec2, pageSize: 5 }, { Filters }))
    found.push((Reservations ?? []).flatMap(({ Instances = [] }) => Instances.map((it) => it.InstanceId ?? "")));
  expect(found.map((page) => page.length)).toEqual([5, 5, 2]);
  expect(found.flat().sort()).toEqual(launched.map(({ id }) => id).sort());
}, 30_000);

test("the console says what a test wrote on it, a boot's host key among it, and nothing before", async () => {
  const { id } = await aws.launch(host);
  const ask = async () => (await ec2.send(new GetConsoleOutputCommand({ InstanceId: id }))).Output;
  expect(await ask()).toBeUndefined();
  aws.console(id, await aws.bootConsole(host));
  const text = Buffer.from((await ask()) ?? "", "base64").toString();
  const [, block] = /-----BEGIN SSH HOST KEY KEYS-----\r\n([\s\S]*)-----END SSH HOST KEY KEYS-----/.exec(text) ?? [];
  expect(block).toContain(await hostKeyOf(host));
}, 30_000);

test("the log has each call as a policy names it, with its parameters", async () => {
  await new SSMClient(aws.moto).send(new PutParameterCommand({ Name: "/host-key", Value: "x", Type: "String" }));
  await new SSMClient(aws.client).send(new GetParameterCommand({ Name: "/host-key" }));
  await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "tag:Name", Values: ["web", "api"] }] }));
  const TagSpecifications = [{ ResourceType: "security-group-rule" as const, Tags: [{ Key: "run", Value: "1" }] }];
  const GroupId = await aws.securityGroup("tagged");
  const IpPermissions = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "203.0.113.7/32" }] }];
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, TagSpecifications, IpPermissions }));
  expect(aws.calls).toMatchObject([
    { action: "ssm:GetParameter", parameters: { Name: "/host-key" }, region: "us-east-1" },
    { action: "ec2:DescribeInstances", parameters: { Filter: [{ Name: "tag:Name", Value: ["web", "api"] }] } },
    { action: "ec2:AuthorizeSecurityGroupIngress", parameters: { GroupId } },
  ]);
  expect(aws.iamActions).toEqual([
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateTags",
    "ec2:DescribeInstances",
    "ssm:GetParameter",
  ]);
}, 30_000);

test("a call fails as often as was asked for, by its protocol's own error, by torn text or by silence", async () => {
  const ssm = new SSMClient({
    ...aws.client,
    maxAttempts: 1,
    requestHandler: { requestTimeout: 500, throwOnRequestTimeout: true },
  });
  const instances = () =>
    ec2.send(new DescribeInstancesCommand({})).then(
      () => "good",
      ({ name }: Error) => name,
    );
  const parameter = () => ssm.send(new GetParameterCommand({ Name: "/none" })).catch(({ name }: Error) => name);
  aws.fail("ec2:DescribeInstances", { code: "RequestLimitExceeded", status: 503 });
  aws.fail("ec2:DescribeInstances", { malformed: true });
  aws.fail("ssm:GetParameter", { code: "ThrottlingException", times: 2 });
  aws.fail("ssm:GetParameter", { hangs: true });
  const [limited, torn, good] = [await instances(), await instances(), await instances()];
  expect([limited, good]).toEqual(["RequestLimitExceeded", "good"]);
  expect(torn).not.toBe("good");
  const said = [await parameter(), await parameter(), await parameter(), await parameter()];
  expect(said).toEqual(["ThrottlingException", "ThrottlingException", "TimeoutError", "ParameterNotFound"]);
}, 30_000);

test("what moto lacks a test plays, until it is forgotten", async () => {
  const ask = async () => {
    const command = new GetParameterCommand({ Name: "/none" });
    return new SSMClient(aws.client).send(command).then(
      ({ Parameter }) => Parameter?.Value,
      ({ name }: Error) => name,
    );
  };
  aws.play("ssm:GetParameter", async (call) => jsonAnswer(call, { Parameter: { Value: "played" } }));
  const played = await ask();
  aws.forget();
  expect([played, await ask()]).toEqual(["played", "ParameterNotFound"]);
}, 30_000);

test("a man in the middle sees what one shows him who trusts him, and nothing of one who doesn't", async () => {
  const man = await ManInTheMiddle.start();
  try {
    const { id } = await aws.launch(host, { address: man.address });
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    const address = Reservations?.[0]?.Instances?.[0]?.PublicIpAddress ?? "";
    const ask = ["-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-p", String(man.port)];
    await run("ssh", [...ask, "-o", "StrictHostKeyChecking=yes", `ec2-user@${address}`, "true"]).catch(() => "");
    expect(man).toMatchObject({ connections: 1, logins: [], channels: 0 });
    await run("ssh", [...ask, "-o", "StrictHostKeyChecking=no", `ec2-user@${address}`, "true"]).catch(() => "");
    expect(man).toMatchObject({ connections: 2, logins: ["ec2-user none"], channels: 1 });
  } finally {
    await man.end();
  }
}, 30_000);

test("a step is told its address by name over TLS, straight or through a proxy that leads nowhere else", async () => {
  const answers = { "checkip.amazonaws.com": "203.0.113.7\n", "aws.example": { passedTo: aws.client.endpoint } };
  const services = await AddressServices.start({ answers });
  const ask = async (env: Variables, url: string, expected: Inputs) => {
    const inputs = { url, timeout: "20s", interval: "100ms", ...expected };
    return (await startStep("verify-health", inputs, env).ended).outputs.status;
  };
  const address = { "expect-body": String.raw`^203\.0\.113\.7\s` };
  const signed = { "expect-status": "403", "expect-body": "signed calls only" };
  try {
    const said = await Promise.all([
      ask(services.env, "https://checkip.amazonaws.com/", address),
      ask(services.proxyEnv, "https://checkip.amazonaws.com/", address),
      ask(services.proxyEnv, "https://aws.example/", signed),
      ask(services.proxyEnv, "https://example.com/", { timeout: "1s" }),
      ask({ ...services.env, NODE_EXTRA_CA_CERTS: "" }, "https://checkip.amazonaws.com/", { timeout: "1s" }),
    ]);
    expect(said.slice(0, 3)).toEqual(["healthy", "healthy", "healthy"]);
    expect(said.slice(3)).not.toContain("healthy");
    expect(services.asked.sort()).toEqual(["aws.example", "checkip.amazonaws.com", "checkip.amazonaws.com"]);
    expect(new Set(services.refused)).toEqual(new Set(["example.com:443"]));
  } finally {
    await services.end();
  }
}, 60_000);
