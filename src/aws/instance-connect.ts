import { generateKeyPairSync, randomBytes } from "node:crypto";
import { SendSSHPublicKeyCommand } from "@aws-sdk/client-ec2-instance-connect";
import { UserError } from "../user-error";
import { AwsFailure } from "./failure";
import type { Aws } from "./session";

/** An ed25519 key pair in OpenSSH's formats, as ssh2 takes them. The private one is never written anywhere. */
export interface FreshKey {
  readonly privateKey: string;
  /** one line: "ssh-ed25519 AAAA... hello-devops" */
  readonly publicKey: string;
}

export interface KeyDelivery {
  readonly instanceId: string;
  readonly zone: string;
  /** the user on the host who may log in with it */
  readonly user: string;
  readonly publicKey: string;
}

const KEY_TYPE = "ssh-ed25519";
const COMMENT = "hello-devops";

/**
 * Written here as OpenSSH's PROTOCOL.key has it, unencrypted: ssh2's own generator drops a leading zero byte, so that one
 * key in 256 can't be read back.
 */
export function freshKey(): FreshKey {
  const { d = "", x = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [seed, point] = [d, x].map((half) => Buffer.from(half, "base64url")) as [Buffer, Buffer];
  const publicBlob = Buffer.concat([sshString(KEY_TYPE), sshString(point)]);
  const check = randomBytes(4); // twice: a wrong passphrase would show
  const half = [check, check, publicBlob, sshString(Buffer.concat([seed, point])), sshString(COMMENT)];
  const head = [Buffer.from("openssh-key-v1\0"), sshString("none"), sshString("none"), sshString(""), uint32(1)];
  const key = Buffer.concat([...head, sshString(publicBlob), sshString(padded(Buffer.concat(half)))]).toString(
    "base64",
  );
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${key.replace(/.{70}/g, "$&\n").trim()}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${KEY_TYPE} ${publicBlob.toString("base64")} ${COMMENT}`,
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 4251, 5. */
function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** To a whole number of 8 bytes, by 1, 2, 3, ... */
const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -bytes.length & 7)]);

/**
 * EC2 Instance Connect lets the key in for 60 seconds: it is sent again before each connection.
 *
 * @throws {UserError}
 */
export async function sendKey(aws: Aws, { instanceId, zone, user, publicKey }: KeyDelivery): Promise<void> {
  const command = new SendSSHPublicKeyCommand({
    InstanceId: instanceId,
    AvailabilityZone: zone,
    InstanceOSUser: user,
    SSHPublicKey: publicKey,
  });
  const answer = await aws
    .call("ec2-instance-connect:SendSSHPublicKey", () => aws.instanceConnect.send(command))
    .catch((failure) => {
      throw withAdvice(failure, instanceId, user);
    });
  if (answer.Success) return;
  throw new UserError(
    `ssh-key: EC2 Instance Connect did not hand the key to ${instanceId} and gives no reason (request ${answer.RequestId}). Try again, or set ssh-key.`,
  );
}

/** What to do about the errors that SendSSHPublicKey has of its own (its API reference, "Errors"). */
function withAdvice(failure: unknown, instanceId: string, user: string): unknown {
  if (!(failure instanceof AwsFailure)) return failure;
  const advice: Record<string, string> = {
    EC2InstanceNotFoundException: `Check that ${instanceId} is in this region and that the credentials are for its account.`,
    EC2InstanceStateInvalidException: `The instance ${instanceId} must be running: start it, then run this job again.`,
    EC2InstanceUnavailableException: `The instance ${instanceId} can't take a key now: try again in a few minutes.`,
    AuthException: `The job's role needs ec2-instance-connect:SendSSHPublicKey on ${instanceId} for the user ${user} (ec2:osuser): compare its policy with docs/access.md.`,
    AccessDeniedException: `Look at its condition ec2:osuser, too: this job logs in as ${user} (ssh-user).`,
    InvalidArgsException: `Check ssh-user: ${user}.`,
    ThrottlingException: "Deploy to fewer hosts at once, or set ssh-key.",
  };
  const words = advice[failure.code] ?? "";
  const message = `ssh-key is blank, so EC2 Instance Connect was asked to let a key in. ${failure.message} ${words}`;
  return new AwsFailure(failure.action, failure.code, message.trim(), { cause: failure.cause });
}
