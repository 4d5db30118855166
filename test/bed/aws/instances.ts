// Instances of moto, made here or by Terraform. Some stand for a box, and carry its address.
import {
  DescribeInstancesCommand,
  type EC2Client,
  type Instance,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { BedHost } from "../bed";
import type { Answer } from "./protocol";

export interface Wanted {
  /** Its tag Name. */
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** `running` when left out. */
  readonly state?: "running" | "stopped" | "terminated";
  /** Its public and private address; the box's own when left out. */
  readonly address?: string;
}

export interface Launched {
  readonly id: string;
  readonly zone: string;
}

export class Instances {
  readonly #boxes = new Map<string, BedHost>();
  /** moto's public addresses, each with what its instance shall have: moto chooses them itself. */
  readonly #addresses = new Map<string, string>();

  constructor(private readonly ec2: EC2Client) {}

  async launch(host: BedHost | undefined, { name, tags = {}, state, address }: Wanted): Promise<Launched> {
    const named = { ...(name !== undefined && { Name: name }), ...tags };
    const own = address ?? (host && boxAddress(host));
    const id = await this.#run(named, own);
    const { PublicIpAddress: given = "", Placement } = await this.described(id);
    if (host) this.#boxes.set(id, host);
    if (own) this.#addresses.set(given, own);
    if (state === "stopped") await this.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
    if (state === "terminated") await this.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    return { id, zone: Placement?.AvailabilityZone ?? "" };
  }

  /** One that somebody else has made stands for the box from now on. */
  async stand(host: BedHost, id: string): Promise<void> {
    const { PublicIpAddress: given } = await this.described(id);
    if (given === undefined) throw new Error(`The instance ${id} has no public address.`);
    this.#boxes.set(id, host);
    this.#addresses.set(given, boxAddress(host));
  }

  async #run(tags: Readonly<Record<string, string>>, address: string | undefined): Promise<string> {
    const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const command = new RunInstancesCommand({
      ImageId: "ami-0123456789abcdef0",
      InstanceType: "t3.micro",
      MinCount: 1,
      MaxCount: 1,
      ...(address && { PrivateIpAddress: address }),
      ...(list.length > 0 && { TagSpecifications: [{ ResourceType: "instance", Tags: list }] }),
    });
    return (await this.ec2.send(command)).Instances?.[0]?.InstanceId ?? "";
  }

  /** @throws the service's InvalidInstanceID.NotFound */
  async described(id: string): Promise<Instance> {
    const { Reservations } = await this.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    return Reservations?.[0]?.Instances?.[0] ?? {};
  }

  boxOf(id: string): BedHost | undefined {
    return this.#boxes.get(id);
  }

  /** moto's answer with the boxes' addresses in it. */
  addressed(answer: Answer): Answer {
    const body = answer.body.replaceAll(/>([\d.]+)</g, (all, ip) => {
      const own = this.#addresses.get(ip);
      return own ? `>${own}<` : all;
    });
    return { ...answer, body };
  }
}

/** The box's own address, also where the bed's ssh leads through Toxiproxy. */
export const boxAddress = (host: BedHost): string => new URL(host.url).hostname;
