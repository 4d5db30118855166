import type { AwsEvidenceInputs } from "../github/aws-evidence-inputs";
import { unlessAborted } from "../health/attempt";
import type { World } from "../health/check";
import type { Signal } from "../health/signal";
import type { Log } from "../release/log";
import { awsOnDemand } from "./aws";

/**
 * What AWS is asked for besides the URLs. Cancelled, there is none: the verification tells that it was.
 * @throws {UserError} before any URL is asked
 */
export async function signalsOf(
  wanted: AwsEvidenceInputs | undefined,
  { clock, date, cancel }: World,
  log: Log,
): Promise<readonly Signal[]> {
  if (!wanted) return [];
  const open = async () => {
    const { aws, access } = await awsOnDemand(wanted.region, log)();
    return access.openSignals(aws, wanted, { now: clock.now, date, cancel });
  };
  return unlessAborted(open(), cancel).catch((error) => {
    if (!cancel.aborted) throw error;
    return [];
  });
}
