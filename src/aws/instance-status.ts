import {
  DescribeInstanceStatusCommand,
  type DescribeInstanceStatusCommandOutput,
  type InstanceStatus,
} from "@aws-sdk/client-ec2";
import type { Finding } from "../health/judgement";
import { UserError } from "../user-error";
import { oneLine, reasonOf } from "./one-line";

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

const MOST_IDS = 100; // of one call (DescribeInstanceStatus, InstanceIds)

/**
 * Whether each instance runs and passes AWS's checks of its system, of itself and of its EBS volumes.
 * @returns in the order of `ids`; what could not be read is inconclusive
 * @throws {UserError} for an id that AWS does not know; what `signal` was aborted with
 */
export async function judgeInstances(
  source: StatusSource,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < ids.length; from += MOST_IDS) {
    const some = ids.slice(from, from + MOST_IDS);
    try {
      const found = await describe(source, some, signal);
      findings.push(...some.map((id) => judge(id, found.get(id))));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Error && /^InvalidInstanceID\./.test(error.name)) throw unknown(source.region, error);
      findings.push(...some.map((id) => inconclusive(id, `could not be read: ${reasonOf(error)}`)));
    }
  }
  return findings;
}

const unknown = (region: string, cause: Error): UserError =>
  new UserError(`instance-ids: ${oneLine(cause.message)} in ${region}. Look at the ids and at aws-region.`, { cause });

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

const inconclusive = (id: string, what: string): Finding => ({ status: "inconclusive", says: `${id} ${what}.` });

function judge(id: string, status: InstanceStatus | undefined): Finding {
  if (!status) return inconclusive(id, "is not in AWS's answer");
  const state = status.InstanceState?.Name ?? "unknown";
  if (state === "pending" || state === "unknown") return inconclusive(id, `is ${state}`);
  if (state !== "running") return { status: "unhealthy", says: `${id} is ${state}.` };
  return judgeChecks(id, {
    system: status.SystemStatus?.Status ?? "insufficient-data",
    instance: status.InstanceStatus?.Status ?? "insufficient-data",
    EBS: status.AttachedEbsStatus?.Status ?? "not-applicable", // only Nitro instances have this check
  });
}

/** SummaryStatus of the API: ok, impaired, insufficient-data, initializing, not-applicable; a newer word decides nothing. */
function judgeChecks(id: string, checks: Readonly<Record<string, string>>): Finding {
  const says = `${id} is running; status checks: ${Object.entries(checks)
    .map(([name, result]) => `${name} ${result}`)
    .join(", ")}.`;
  const results = Object.values(checks);
  if (results.includes("impaired")) return { status: "unhealthy", says };
  const passed = results.includes("ok") && results.every((result) => result === "ok" || result === "not-applicable");
  return { status: passed ? "healthy" : "inconclusive", says };
}
