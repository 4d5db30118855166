import { connect, type Socket } from "node:net";
import {
  AuthorizeSecurityGroupIngressCommand,
  EC2Client,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import { EC2InstanceConnectClient, SendSSHPublicKeyCommand } from "@aws-sdk/client-ec2-instance-connect";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { boxAddress } from "../bed/aws/instances";
import { resetHost } from "../bed/hosts";
import { run } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { type KeyPair, newKey } from "../support/sshd";

const host = myHost(theBed());
let aws: FakeAws;
let ec2: EC2Client;
let key: KeyPair;

beforeAll(async () => {
  await resetHost(host);
  [aws, key] = await Promise.all([FakeAws.start({ hosts: [host] }), newKey("")]);
  ec2 = new EC2Client({ ...aws.client, maxAttempts: 1 });
}, 120_000);
afterEach(async () => {
  await Promise.all([aws.openDoor(host), aws.keyed(host)]);
  aws.forget();
}, 30_000);
afterAll(() => aws?.end(), 30_000);

/** What OpenSSH's client says of a login with the key: "in", or its complaint. */
function login(address: string, port: number, keyFile: string): Promise<string> {
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  const words = [...options, "LogLevel=ERROR", "ConnectTimeout=5"].flatMap((option) => ["-o", option]);
  return run("ssh", [...words, "-i", keyFile, "-p", String(port), `ec2-user@${address}`, "echo in"]).catch(String);
}

const toSshd = (timeout: number) => connect({ host: boxAddress(host), port: 22, timeout });

/** What becomes of a new connection to port 22. The kernel answers it: a second and a half without a word is a drop. */
function knock(): Promise<"taken" | "refused" | "dropped"> {
  const socket = toSshd(1500);
  const answer = new Promise<"taken" | "refused" | "dropped">((resolve) => {
    socket.once("connect", () => resolve("taken")).once("error", () => resolve("refused"));
    socket.once("timeout", () => resolve("dropped"));
  });
  return answer.finally(() => socket.destroy());
}

/** The next that comes from the other side. */
function nextText(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once("data", (data) => resolve(data.toString()));
    socket.once("timeout", () => reject(new Error("nothing came"))).once("error", reject);
  });
}

const rule = (cidr: string) => [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: cidr }] }];

test("a key that was sent gets in for 60 s, where the login has no key of its own", async () => {
  const client = new EC2InstanceConnectClient(aws.client);
  const { id, zone } = await aws.launch(host);
  await aws.keyless(host);
  const tries = [await login(host.address, host.port, key.file), await login(host.address, host.port, host.keyFile)];
  expect(tries).toEqual([expect.stringContaining("Permission denied"), expect.stringContaining("Permission denied")]);
  const send = { InstanceId: id, InstanceOSUser: "ec2-user", SSHPublicKey: key.public, AvailabilityZone: zone };
  await client.send(new SendSSHPublicKeyCommand(send));
  await aws.ageSentKeys(host, 50);
  expect(await login(host.address, host.port, key.file)).toBe("in");
  await aws.ageSentKeys(host, 61);
  expect(await login(host.address, host.port, key.file)).toContain("Permission denied");
  await aws.keyed(host);
  expect(await login(host.address, host.port, host.keyFile)).toBe("in");
}, 30_000);

test("a key for another zone, for an unknown or a stopped instance, or that is none is refused as by the service", async () => {
  const client = new EC2InstanceConnectClient(aws.client);
  const { id, zone } = await aws.launch(host);
  const [stopped] = await aws.launchOthers(1, { state: "stopped" });
  const good = { InstanceId: id, InstanceOSUser: "ec2-user", SSHPublicKey: key.public, AvailabilityZone: zone };
  const wrong = [
    { AvailabilityZone: "us-east-1f" },
    { InstanceId: "i-0123456789abcdef0" },
    { InstanceId: stopped?.id ?? "" },
    { SSHPublicKey: key.private },
  ].map((more) => client.send(new SendSSHPublicKeyCommand({ ...good, ...more })).catch((error: Error) => error.name));
  const notFound = "EC2InstanceNotFoundException";
  expect(await Promise.all(wrong)).toEqual([
    notFound,
    notFound,
    "EC2InstanceStateInvalidException",
    "InvalidArgsException",
  ]);
}, 30_000);

test("a locked door drops new connections but from a rule's source, and an established one lives", async () => {
  const GroupId = await aws.securityGroup("door");
  const mine = `${await aws.sourceSeenBy(host)}/32`;
  await aws.lockDoor(host, GroupId);
  expect(await knock()).toBe("dropped");
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: rule("203.0.113.7/32") }));
  expect(await knock()).toBe("dropped");
  const opened = await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: rule(mine) }));
  const socket = toSshd(10_000);
  expect(await nextText(socket)).toMatch(/^SSH-2.0-/);
  const SecurityGroupRuleIds = [opened.SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? ""];
  await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds }));
  expect(await knock()).toBe("dropped");
  socket.write("hello\r\n");
  expect(await nextText(socket)).toContain("Invalid SSH identification string");
  await aws.openDoor(host);
  expect(await knock()).toBe("taken");
}, 30_000);

test("a locked door and a missing key outlive a reboot, and a reset takes both away", async () => {
  await aws.lockDoor(host, await aws.securityGroup("reboot"));
  await aws.keyless(host);
  await run("docker", ["restart", host.container]);
  await run("docker", ["exec", host.container, "bed-ctl", "wait"]);
  expect(await knock()).toBe("dropped");
  await resetHost(host);
  expect(await login(host.address, host.port, host.keyFile)).toBe("in");
}, 60_000);
