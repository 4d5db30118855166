// EC2 Instance Connect: moto says yes to everything; here the call is checked, and the box lets the key in for 60 s.
// https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html
import type { BedHost } from "../bed";
import { docker } from "../run";
import type { Player } from "./front";
import type { Instances } from "./instances";
import { type AwsError, errorAnswer, jsonAnswer } from "./protocol";

const osUser = /^[A-Za-z_][A-Za-z0-9@._-]{0,30}[A-Za-z0-9$_-]?$/;
const publicKey = /^ssh-(rsa|ed25519) [A-Za-z0-9+/]+={0,2}( [^\n]*)?\n?$/;

interface Sent {
  readonly InstanceId: string;
  readonly InstanceOSUser: string;
  readonly SSHPublicKey: string;
  readonly AvailabilityZone?: string;
}

export const sendPublicKey =
  (instances: Instances): Player =>
  async (call) => {
    const sent = call.parameters as unknown as Sent;
    const error = wrongArgument(sent) ?? (await wrongInstance(instances, sent));
    if (error) return errorAnswer(call, error);
    const box = instances.boxOf(sent.InstanceId);
    if (box) await letIn(box, sent.InstanceOSUser, sent.SSHPublicKey);
    return jsonAnswer(call, { RequestId: "bed", Success: true });
  };

function wrongArgument({ InstanceOSUser, SSHPublicKey }: Sent): AwsError | undefined {
  const invalid = (message: string) => ({ code: "InvalidArgsException", message });
  if (!osUser.test(InstanceOSUser)) return invalid("InstanceOSUser is not valid");
  const length = SSHPublicKey?.length ?? 0;
  if (!publicKey.test(SSHPublicKey) || length < 80 || length > 4096) return invalid("SSHPublicKey is not valid");
  return undefined;
}

async function wrongInstance(instances: Instances, sent: Sent): Promise<AwsError | undefined> {
  const notFound = { code: "EC2InstanceNotFoundException", message: `Instance not found: ${sent.InstanceId}` };
  const instance = await instances.described(sent.InstanceId).catch((error: Error) => {
    if (/^InvalidInstanceID/.test(error.name)) return undefined;
    throw error;
  });
  if (!instance) return notFound;
  const zone = instance.Placement?.AvailabilityZone;
  // Which error another zone is the reference doesn't say; the pair of id and zone is one that isn't found.
  if (sent.AvailabilityZone !== undefined && sent.AvailabilityZone !== zone) return notFound;
  const state = instance.State?.Name;
  return state === "running"
    ? undefined
    : { code: "EC2InstanceStateInvalidException", message: `The instance is in the state ${state}` };
}

const letIn = (box: BedHost, user: string, key: string): Promise<string> =>
  docker(["exec", "--interactive", box.container, "bed-access", "sent", user], { input: `${key.trim()}\n` });
