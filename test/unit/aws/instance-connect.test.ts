import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2InstanceConnectClient, SendSSHPublicKeyCommand } from "@aws-sdk/client-ec2-instance-connect";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { utils } from "ssh2";
import { freshKey, sendKey } from "../../../src/aws/instance-connect";
import type { Aws } from "../../../src/aws/session";
import { privateKey } from "../../../src/host/private-key";
import { UserError } from "../../../src/user-error";
import { testAws } from "../../support/moto";

const connect = mockClient(EC2InstanceConnectClient);
let aws: Aws;

beforeAll(async () => {
  aws = await testAws();
});
beforeEach(() => {
  connect.reset();
});

const delivery = { instanceId: "i-0123456789abcdef0", zone: "eu-west-1a", user: "ec2-user", ...freshKey() };

test("makes keys that ssh2 and this deploy's own check accept, whatever their bytes", () => {
  for (let count = 0; count < 1000; count++) {
    // one in 128 has a half that begins with a zero byte
    const made = freshKey();
    const [parsed, publicHalf] = [utils.parseKey(privateKey(made.privateKey, "")), utils.parseKey(made.publicKey)];
    if (parsed instanceof Error || publicHalf instanceof Error) throw new Error("it can't be read");
    const signed = parsed.sign("a challenge");
    expect(publicHalf.verify("a challenge", signed)).toBe(true);
  }
});

test("makes keys that OpenSSH reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "key-"));
  const { privateKey: made, publicKey } = freshKey();
  writeFileSync(join(folder, "key"), made, { mode: 0o600 });
  const read = execFileSync("ssh-keygen", ["-y", "-f", join(folder, "key")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(read.trim()).toBe(publicKey);
  expect(publicKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]{68} hello-devops$/);
});

test("makes another key each time", () => {
  expect(freshKey().publicKey).not.toBe(freshKey().publicKey);
});

test("hands over the public key alone, for the user that logs in", async () => {
  connect.on(SendSSHPublicKeyCommand).resolves({ Success: true });
  await sendKey(aws, delivery);
  expect(connect.calls().map(({ args }) => args[0].input)).toEqual([
    {
      InstanceId: "i-0123456789abcdef0",
      AvailabilityZone: "eu-west-1a",
      InstanceOSUser: "ec2-user",
      SSHPublicKey: delivery.publicKey,
    },
  ]);
});

const refusals: readonly [name: string, says: RegExp][] = [
  ["EC2InstanceNotFoundException", /Check that i-0123456789abcdef0 is in this region/],
  ["EC2InstanceStateInvalidException", /i-0123456789abcdef0 must be running/],
  ["EC2InstanceUnavailableException", /try again in a few minutes/],
  ["AuthException", /needs ec2-instance-connect:SendSSHPublicKey on i-0123456789abcdef0 for the user ec2-user/],
  ["AccessDeniedException", /condition ec2:osuser, too: this job logs in as ec2-user/],
  ["InvalidArgsException", /Check ssh-user: ec2-user/],
  ["ThrottlingException", /slow down.*fewer hosts at once/],
];
test.each(refusals)("says what to do about %s", async (name, says) => {
  connect.on(SendSSHPublicKeyCommand).rejects(Object.assign(new Error("no"), { name }));
  const sending = sendKey(aws, delivery);
  await expect(sending).rejects.toThrow(UserError);
  await expect(sending).rejects.toThrow(
    /^ssh-key is blank, so EC2 Instance Connect was asked to let a key in\. ec2-instance-connect:SendSSHPublicKey: /,
  );
  await expect(sending).rejects.toThrow(says);
});

test("fails when AWS answers that it did not hand the key over", async () => {
  connect.on(SendSSHPublicKeyCommand).resolves({ Success: false, RequestId: "r-1" });
  await expect(sendKey(aws, delivery)).rejects.toThrow(/did not hand the key to i-0123456789abcdef0 .*request r-1/);
});
