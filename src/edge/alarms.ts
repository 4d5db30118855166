import type { DeployInputs } from "../github/inputs";
import type { World } from "../release/world";
import { UserError } from "../user-error";
import type { AskAws } from "./aws";

const MOST = 100; // one call reads so many

/** The gate `alarms`, asked of CloudWatch; no name in the input = no gate. */
export function alarmsOf({ alarms: names }: DeployInputs, ask: AskAws): World["alarms"] {
  if (names.length === 0) return undefined;
  return {
    async snapshot(cancel) {
      const { aws, access } = await ask();
      const source = access.alarmSource(aws);
      const before = await access.snapshotAlarms(source, names, cancel);
      if (before.size > MOST)
        throw new UserError(
          `alarms: they are ${before.size}; ${MOST} at most are watched. Name less, or a longer prefix.`,
        );
      const red = [...before.values()].filter(({ state }) => state === "ALARM");
      return {
        names: [...before.keys()],
        red: red.map(({ name, reason }) => `Alarm "${name}" is in ALARM already, and does not count: ${reason}.`),
        leastBake: access.leastBake(before),
        watch: (over, clock, signal) => access.watchAlarms(source, { before, over }, clock, signal),
      };
    },
  };
}
