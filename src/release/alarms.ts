import { UserError } from "../user-error";
import type { Change } from "./change";
import { GateError } from "./failure";
import type { Member } from "./fleet";
import { stillServe } from "./verification";
import type { AlarmsBefore } from "./world";

/**
 * The alarms as they stand before anything is changed.
 *
 * @throws {GateError} for one that there is not, and where AWS does not say
 */
export async function lookAtAlarms({ fleet, report, world }: Change): Promise<AlarmsBefore | undefined> {
  if (!world.alarms) return undefined;
  try {
    const before = await world.alarms.snapshot(fleet.signal);
    world.log.info(`Alarms: ${before.names.join(", ")}. ${before.leastBake.says}`.trim());
    for (const line of before.red) report.warn(line);
    return before;
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new GateError("alarms", `${cause.message} Nothing was changed.`, { cause });
  }
}

/**
 * The gate `alarms`, from here until it is settled: a new alarm stops the deploy at once, on all hosts. What stops the
 * deploy otherwise ends it, too.
 *
 * @returns `settled` looks a last time. @throws {GateError} unless all is well then: no data is no proof.
 */
export function underAlarms(
  { fleet, report, world }: Change,
  before: AlarmsBefore | undefined,
  moving: readonly Member[],
): { settled(): Promise<void> } {
  if (!before) return { settled: async () => {} };
  const over = new AbortController();
  const watching = before.watch(over.signal, world.clock, fleet.signal).then(({ status, evidence, looks }) => {
    const lastSeen = evidence.join(" ");
    report.evidence.push({ gate: "alarms", verdict: status, probes: looks, expected: "no new alarm", lastSeen });
    if (status !== "healthy") throw new GateError("alarms", `${evidence[0]} ${stillServe(moving)}`);
    world.log.info(`alarms: ${lastSeen}`);
  });
  watching.catch((cause) => fleet.stopAll(cause));
  return {
    settled() {
      over.abort();
      return watching;
    },
  };
}
