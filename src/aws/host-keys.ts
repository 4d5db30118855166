import { GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { UserError } from "../user-error";
import { AwsFailure, codeOf } from "./failure";
import type { Aws } from "./session";

export interface HostKeys {
  /** "ssh-ed25519 AAAA...": what follows the host in a known_hosts line */
  readonly keys: readonly string[];
  /** for the log: "the SSM parameter /hello-devops/host-keys/i-...", "the console output of i-..." */
  readonly source: string;
}

const MOST_KEYS = 20;
const KEY = /(?:^|\s)(ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521))[ \t]+([A-Za-z0-9+/]+={0,2})(?=\s|$)/;
// cc_keys_to_console of cloud-init writes it; only the first is the boot's own, whoever writes to the console later.
const CONSOLE_BLOCK = /-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----/s;

/** The SSM parameter that an instance writes its own keys to. */
export const parameterOf = (instanceId: string): string => `/hello-devops/host-keys/${instanceId}`;

/**
 * The SSH host keys of an instance as AWS vouches for them: from its SSM parameter, else from its console output. Never
 * from the network.
 *
 * @throws {UserError} when neither has any, with the ways out; when the parameter holds anything but keys
 */
export async function hostKeys(aws: Aws, instanceId: string): Promise<HostKeys> {
  const refused: AwsFailure[] = [];
  const unlessRefused = (failure: unknown): undefined => {
    if (!(failure instanceof AwsFailure && failure.denied)) throw failure;
    refused.push(failure);
  };
  const text = await parameter(aws, instanceId).catch(unlessRefused);
  if (text !== undefined) {
    const source = `the SSM parameter ${parameterOf(instanceId)}`;
    return { keys: keysOfParameter(text, source), source };
  }
  const keys = await keysOfConsole(aws, instanceId).catch(unlessRefused);
  if (keys && keys.length > 0) return { keys, source: `the console output of ${instanceId}` };
  throw noKeys(instanceId, refused);
}

async function parameter(aws: Aws, instanceId: string): Promise<string | undefined> {
  const asked = { Name: parameterOf(instanceId) };
  try {
    const answer = await aws.call("ssm:GetParameter", () => aws.ssm.send(new GetParameterCommand(asked)));
    return answer.Parameter?.Value ?? "";
  } catch (failure) {
    if (codeOf(failure) === "ParameterNotFound") return undefined;
    throw failure;
  }
}

/** @throws {UserError} Something that is there and wrong may be an attack: it is never passed over. */
function keysOfParameter(text: string, source: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const told = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const keys = told.flatMap((line) => (line.search(KEY) === 0 ? keyIn(line) : []));
  if (told.length > 0 && told.length <= MOST_KEYS && keys.length === told.length) return keys;
  const wrong = told.length === 0 ? "it is empty" : `${told.length - keys.length} of its ${told.length} lines are none`;
  const why = told.length > MOST_KEYS ? `it has ${told.length} lines, more than ${MOST_KEYS}` : wrong;
  throw new UserError(
    `${source} does not hold SSH host keys, one "type base64" a line: ${why}. Have the instance write it again from /etc/ssh/ssh_host_*_key.pub, as a String, and look who else may write there.`,
  );
}

/** A line's key when its base64 holds what its type says: the blob begins with its own type (RFC 4253, 6.6). */
function keyIn(line: string): string[] {
  const [, type = "", base64 = ""] = KEY.exec(line) ?? [];
  const blob = Buffer.from(base64, "base64");
  if (blob.length < type.length + 4 + 32 || blob.readUInt32BE(0) !== type.length) return []; // 32: the shortest key's length
  return blob.toString("latin1", 4, 4 + type.length) === type ? [`${type} ${base64}`] : [];
}

/**
 * The last 64 KB as they are now, which Nitro instances alone give; then those that AWS kept from after the boot, where
 * the block may still stand that later lines have pushed out.
 */
async function keysOfConsole(aws: Aws, instanceId: string): Promise<string[]> {
  const latest = keysOfBlock(await consoleText(aws, { InstanceId: instanceId, Latest: true }));
  return latest.length > 0 ? latest : keysOfBlock(await consoleText(aws, { InstanceId: instanceId }));
}

async function consoleText(aws: Aws, asked: { InstanceId: string; Latest?: true }): Promise<string> {
  try {
    const answer = await aws.call("ec2:GetConsoleOutput", () => aws.ec2.send(new GetConsoleOutputCommand(asked)));
    return Buffer.from(answer.Output ?? "", "base64").toString("utf8");
  } catch (failure) {
    if (asked.Latest && codeOf(failure) === "UnsupportedOperation") return "";
    throw failure;
  }
}

/** Lines may have the kernel's time or a daemon's name in front, and other lines between them. */
function keysOfBlock(text: string): string[] {
  const block = CONSOLE_BLOCK.exec(text)?.[1] ?? "";
  return block.split(/\r?\n/).slice(0, MOST_KEYS).flatMap(keyIn);
}

function noKeys(instanceId: string, refused: readonly AwsFailure[]): UserError {
  const missing = refused.map(({ message }) => ` ${message}`).join("");
  return new UserError(
    [
      `ssh-known-hosts: there is no host key for ${instanceId}: neither in the SSM parameter ${parameterOf(instanceId)} nor in its console output.${missing} Ways out:`,
      `- set ssh-known-hosts to the key's fingerprint, which "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the instance prints (SHA256:...);`,
      `- have the instance write /etc/ssh/ssh_host_*_key.pub to that parameter when it boots;`,
      "- after a first boot, try again in a few minutes: the console output is not there at once.",
    ].join("\n"),
    { cause: refused[0] },
  );
}
