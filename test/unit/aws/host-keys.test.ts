import { EC2Client, GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { utils } from "ssh2";
import { hostKeys } from "../../../src/aws/host-keys";
import { freshKey } from "../../../src/aws/instance-connect";
import type { Aws } from "../../../src/aws/session";
import { UserError } from "../../../src/user-error";
import { testAws } from "../../support/moto";

const ID = "i-0123456789abcdef0";
const PARAMETER = `/hello-devops/host-keys/${ID}`;
const ED25519 = freshKey().publicKey.replace(" hello-devops", "");
const ECDSA = utils.generateKeyPairSync("ecdsa", { bits: 256 }).public.trim();
const RSA = utils.generateKeyPairSync("rsa", { bits: 2048 }).public.trim();
const OTHERS = freshKey().publicKey;

const ssm = mockClient(SSMClient);
const ec2 = mockClient(EC2Client);
let aws: Aws;

beforeAll(async () => {
  aws = await testAws();
});
beforeEach(() => {
  ssm.reset();
  ec2.reset();
});

const fails = (name: string, message = name) => Object.assign(new Error(message), { name });
const parameter = (Value: string) =>
  ssm.on(GetParameterCommand, { Name: PARAMETER }).resolves({ Parameter: { Value } });
const noParameter = () => ssm.on(GetParameterCommand).rejects(fails("ParameterNotFound"));
const console64 = (text: string) => ({ Output: Buffer.from(text).toString("base64") });
const block = (...lines: string[]) =>
  ["-----BEGIN SSH HOST KEY KEYS-----", ...lines, "-----END SSH HOST KEY KEYS-----"].join("\r\n");

test("takes the keys that the instance wrote to its parameter, without asking further", async () => {
  parameter(`# written at boot\n${ED25519} root@web\r\n\n${ECDSA}\n`);
  expect(await hostKeys(aws, ID)).toEqual({ keys: [ED25519, ECDSA], source: `the SSM parameter ${PARAMETER}` });
  expect(ec2.calls()).toEqual([]);
});

const blobOf = (key: string) => key.split(" ")[1];
const malformed: readonly [what: string, value: string, why: string][] = [
  ["is empty", "\n", "it is empty"],
  ["names a host before a key", `web ${ED25519}`, "1 of its 1 lines are none"],
  ["has a wrong line among right ones", `${ED25519}\nssh-ed25519 AAAA\n`, "1 of its 2 lines are none"],
  ["has a key under another's type", `ecdsa-sha2-nistp256 ${blobOf(ED25519)}`, "1 of its 1 lines are none"],
  ["has a certificate authority", `@cert-authority * ${ED25519}`, "1 of its 1 lines are none"],
  ["has more lines than any host has keys", Array(21).fill(ED25519).join("\n"), "it has 21 lines, more than 20"],
];
test.each(malformed)("fails, and asks nobody else, when the parameter %s", async (_, value, why) => {
  parameter(value);
  ec2.on(GetConsoleOutputCommand).resolves(console64(block(ED25519)));
  const finding = hostKeys(aws, ID);
  await expect(finding).rejects.toThrow(UserError);
  await expect(finding).rejects.toThrow(`the SSM parameter ${PARAMETER} does not hold SSH host keys`);
  await expect(finding).rejects.toThrow(why);
});

const consoles: readonly [what: string, text: string, keys: string[]][] = [
  ["plain lines", block(ED25519, `${ECDSA} root@web`, RSA), [ED25519, ECDSA, RSA]],
  [
    "the kernel's time and a daemon's name before each line",
    block(
      `[   12.345678] cloud-init[1234]: ${ED25519} root@web`,
      `<14>Nov 26 10:00:00 ec2: ${ECDSA}`,
      `ci-info: ${RSA}`,
    ),
    [ED25519, ECDSA, RSA],
  ],
  ["other lines between the keys", block(ED25519, "[   12.4] eth0: link up", "ssh-ed25519 AAAA"), [ED25519]],
  ["a second block, which anybody may have written later", `${block(ED25519)}\n${block(OTHERS)}`, [ED25519]],
  ["a key outside of the block", `${OTHERS}\n${block(ED25519)}\n${OTHERS}`, [ED25519]],
];
test.each(consoles)("takes the console's first block where it has %s", async (_, text, keys) => {
  noParameter();
  ec2.on(GetConsoleOutputCommand, { InstanceId: ID, Latest: true }).resolves(console64(`login:\n${text}\nlogin:\n`));
  expect(await hostKeys(aws, ID)).toEqual({ keys, source: `the console output of ${ID}` });
});

const olderOutput: readonly [when: string, latest: () => void][] = [
  [
    "an instance that is not on Nitro",
    () => ec2.on(GetConsoleOutputCommand, { Latest: true }).rejects(fails("UnsupportedOperation")),
  ],
  [
    "one whose boot was pushed out of the latest output",
    () => ec2.on(GetConsoleOutputCommand, { Latest: true }).resolves(console64("login:")),
  ],
];
test.each(olderOutput)("takes the output that AWS kept of %s", async (_, latest) => {
  noParameter();
  ec2.on(GetConsoleOutputCommand, { InstanceId: ID }).resolves(console64(block(ED25519)));
  latest();
  expect((await hostKeys(aws, ID)).keys).toEqual([ED25519]);
});

test("takes the console's keys when the role may not read the parameter", async () => {
  ssm.on(GetParameterCommand).rejects(fails("AccessDeniedException"));
  ec2.on(GetConsoleOutputCommand).resolves(console64(block(ED25519)));
  expect((await hostKeys(aws, ID)).keys).toEqual([ED25519]);
});

test("lists the ways out when there is no key anywhere", async () => {
  noParameter();
  ec2.on(GetConsoleOutputCommand).resolves({});
  const finding = hostKeys(aws, ID);
  await expect(finding).rejects.toThrow(UserError);
  for (const way of [PARAMETER, "ssh-known-hosts", "ssh-keygen -lf", "try again in a few minutes"]) {
    await expect(finding).rejects.toThrow(way);
  }
});

test("says which permissions were missing when there is no key anywhere", async () => {
  ssm.on(GetParameterCommand).rejects(fails("AccessDeniedException"));
  ec2.on(GetConsoleOutputCommand).rejects(fails("UnauthorizedOperation"));
  const finding = hostKeys(aws, ID);
  await expect(finding).rejects.toThrow("AWS does not allow ssm:GetParameter");
  await expect(finding).rejects.toThrow("AWS does not allow ec2:GetConsoleOutput");
});

test("does not go on to the console when the parameter could not be read for another reason", async () => {
  ssm.on(GetParameterCommand).rejects(fails("ThrottlingException", "Rate exceeded"));
  ec2.on(GetConsoleOutputCommand).resolves(console64(block(ED25519)));
  await expect(hostKeys(aws, ID)).rejects.toThrow(/^ssm:GetParameter: AWS asks to slow down/);
});

test("takes a block without its end for none: it may be cut", async () => {
  noParameter();
  ec2.on(GetConsoleOutputCommand).resolves(console64(`-----BEGIN SSH HOST KEY KEYS-----\n${ED25519}\n`));
  await expect(hostKeys(aws, ID)).rejects.toThrow("there is no host key for");
});
