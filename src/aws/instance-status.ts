import {
  DescribeInstanceStatusCommand,
  type DescribeInstanceStatusCommandOutput,
  type InstanceStatus,
} from "@aws-sdk/client-ec2";
import { type Glance, notRead } from "../health/signal";
import { UserError } from "../user-error";
import { codeOf } from "./failure";
import { oneLine, reasonOf } from "./one-line";
import type { Aws } from "./session";

/** What instance status needs of an EC2Client. */
export interface StatusSource {
  readonly client: {
    send(
      command: DescribeInstanceStatusCommand,
      options?: { abortSignal?: AbortSignal },
    ): Promise<DescribeInstanceStatusCommandOutput>;
  };
  /** for messages */
  readonly region: string;
}

export const statusSource = (aws: Aws): StatusSource => ({
  client: { send: (...asked) => aws.call("ec2:DescribeInstanceStatus", () => aws.ec2.send(...asked)) },
  region: aws.region,
});

const MOST_IDS = 100; // of one call (DescribeInstanceStatus, InstanceIds)

/**
 * Whether each instance runs and passes AWS's checks of its system, of itself and of its EBS volumes.
 * @returns in the order of `ids`; what could not be read is blind
 * @throws {UserError} for an id that AWS does not know; what `signal` was aborted with
 */
export async function lookAtInstances(
  source: StatusSource,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Glance[]> {
  const glances: Glance[] = [];
  for (let from = 0; from < ids.length; from += MOST_IDS) {
    const some = ids.slice(from, from + MOST_IDS);
    try {
      const found = await describe(source, some, signal);
      glances.push(...some.map((id) => judge(found.get(id))));
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error)?.startsWith("InvalidInstanceID.")) throw unknown(source.region, error as Error);
      glances.push(...some.map(() => notRead(reasonOf(error))));
    }
  }
  return glances;
}

/** @param failure its cause has AWS's own sentence, which names the id */
function unknown(region: string, failure: Error): UserError {
  const said = oneLine((failure.cause as Error).message);
  return new UserError(`instance-ids: ${said} in ${region}. Look at the ids and at aws-region.`, { cause: failure });
}

/** All pages. Without IncludeAllInstances AWS leaves out what does not run. */
async function describe(
  { client }: StatusSource,
  ids: readonly string[],
  abortSignal: AbortSignal,
): Promise<Map<string, InstanceStatus>> {
  const found = new Map<string, InstanceStatus>();
  let page: DescribeInstanceStatusCommandOutput | undefined;
  do {
    const more = page?.NextToken ? { NextToken: page.NextToken } : {};
    const input = { InstanceIds: [...ids], IncludeAllInstances: true, ...more };
    page = await client.send(new DescribeInstanceStatusCommand(input), { abortSignal });
    for (const status of page.InstanceStatuses ?? []) found.set(status.InstanceId ?? "", status);
  } while (page.NextToken);
  return found;
}

const blind = (kind: string, seen: string): Glance => ({ standing: "blind", kind, seen });

function judge(status: InstanceStatus | undefined): Glance {
  if (!status) return blind("not read", "it is not in AWS's answer");
  const state = status.InstanceState?.Name ?? "unknown";
  if (state === "pending" || state === "unknown") return blind(state, state);
  if (state !== "running") return { standing: "wrong", kind: state, seen: state };
  return judgeChecks({
    system: status.SystemStatus?.Status ?? "insufficient-data",
    instance: status.InstanceStatus?.Status ?? "insufficient-data",
    EBS: status.AttachedEbsStatus?.Status ?? "not-applicable", // only Nitro instances have this check
  });
}

/** SummaryStatus of the API: ok, impaired, insufficient-data, initializing, not-applicable; a newer word decides nothing. */
function judgeChecks(checks: Readonly<Record<string, string>>): Glance {
  const each = Object.entries(checks).map(([name, result]) => `${name} ${result}`);
  const seen = `running; status checks: ${each.join(", ")}`;
  const results = Object.values(checks);
  if (results.includes("impaired")) return { standing: "wrong", kind: "impaired", seen };
  const undecided = results.find((result) => result !== "ok" && result !== "not-applicable");
  if (undecided !== undefined) return blind(undecided, seen);
  return results.includes("ok") ? { standing: "right", kind: "running", seen } : blind("not-applicable", seen);
}
