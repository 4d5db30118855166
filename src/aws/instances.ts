import { type Instance, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { UserError } from "../user-error";
import { codeOf } from "./failure";
import type { Aws } from "./session";

/** An EC2 instance that is running, and the address to reach it at. */
export interface Ec2Host {
  /** "i-0123456789abcdef0" */
  readonly id: string;
  /** its Name tag; '' = it has none */
  readonly name: string;
  /** its availability zone, "eu-west-1a" */
  readonly zone: string;
  /** the public or the private IPv4 address, as `address` says */
  readonly address: string;
  readonly privateIp: string;
}

/** A filter of DescribeInstances: `{ name: "tag:Name", values: ["web"] }`. */
export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

export interface WantedInstances {
  /** the input that named them, for messages: "hosts", "ec2-filters", "instance-ids" */
  readonly input: string;
  readonly by: { readonly ids: readonly string[] } | { readonly filters: readonly Filter[] };
  readonly address: "public" | "private";
}

/**
 * The running instances that were named, ordered by id.
 *
 * @throws {UserError} when a named one isn't running, when filters find none that runs, or when one has no such address
 */
export async function findInstances(aws: Aws, { input, by, address }: WantedInstances): Promise<Ec2Host[]> {
  const found = "ids" in by ? await named(aws, by.ids, input) : await matching(aws, by.filters, input);
  const ordered = found.toSorted((a, b) => idOf(a).localeCompare(idOf(b), "en"));
  return ordered.map((instance) => host(instance, address));
}

async function named(aws: Aws, wanted: readonly string[], input: string): Promise<Instance[]> {
  const ids = [...new Set(wanted)];
  const found = await describe(aws, { InstanceIds: ids }).catch((failure) => {
    if (!codeOf(failure)?.startsWith("InvalidInstanceID.")) throw failure;
    throw new UserError(
      `${input}: AWS knows no such instance in the region ${aws.region} (${ids.join(", ")}): ${failure.cause.message} Check the id, aws-region, and which account the credentials are for.`,
      { cause: failure },
    );
  });
  const wrong = ids.flatMap((id) => {
    const state = stateOf(found.find((instance) => instance.InstanceId === id));
    return state === "running" ? [] : [`${id} is ${state}`];
  });
  if (wrong.length > 0) {
    throw new UserError(
      `${input}: only running instances can be reached, and ${wrong.join(", ")} in the region ${aws.region}. Start it, or take it out of ${input}.`,
    );
  }
  return found;
}

async function matching(aws: Aws, filters: readonly Filter[], input: string): Promise<Instance[]> {
  const found = await describe(aws, {
    Filters: filters.map(({ name, values }) => ({ Name: name, Values: [...values] })),
  });
  const running = found.filter((instance) => stateOf(instance) === "running");
  if (running.length > 0) return running;
  const asked = filters.map(({ name, values }) => `${name}=${values.join(",")}`).join(" ");
  throw new UserError(
    `${input}: no running instance in the region ${aws.region} matches ${asked} (${otherStates(found)}). Check the filter, aws-region, and which account the credentials are for.`,
  );
}

function otherStates(found: readonly Instance[]): string {
  const states = found.map(stateOf);
  const counts = [...new Set(states)].map((state) => `${states.filter((other) => other === state).length} ${state}`);
  return counts.join(", ") || "none in any other state";
}

const describe = (aws: Aws, what: { InstanceIds: string[] } | { Filters: { Name: string; Values: string[] }[] }) =>
  aws.call("ec2:DescribeInstances", async () => {
    const found: Instance[] = [];
    for await (const page of paginateDescribeInstances({ client: aws.ec2, stopOnSameToken: true }, what)) {
      for (const reservation of page.Reservations ?? []) found.push(...(reservation.Instances ?? []));
    }
    return found;
  });

const idOf = ({ InstanceId = "" }: Instance): string => InstanceId;

const stateOf = (instance: Instance | undefined): string => instance?.State?.Name ?? "not found";

function host(instance: Instance, address: "public" | "private"): Ec2Host {
  const { PrivateIpAddress: privateIp = "", PublicIpAddress: publicIp = "" } = instance;
  const reached = address === "public" ? publicIp : privateIp;
  if (reached === "") {
    const wayOut =
      address === "public"
        ? "Give it one, or set address: private where the runner is in the same network."
        : "It is being started or stopped; try again.";
    throw new UserError(`address: the instance ${idOf(instance)} has no ${address} IPv4 address. ${wayOut}`);
  }
  const name = instance.Tags?.find(({ Key }) => Key === "Name")?.Value ?? "";
  return { id: idOf(instance), name, zone: instance.Placement?.AvailabilityZone ?? "", address: reached, privateIp };
}
