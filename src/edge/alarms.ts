import type { DeployInputs } from "../github/inputs";
import type { World } from "../release/world";
import type { AskAws } from "./aws";

/** The gate `alarms`, asked of CloudWatch; no name in the input = no gate. */
export function alarmsOf({ alarms: names }: DeployInputs, ask: AskAws): World["alarms"] {
  if (names.length === 0) return undefined;
  return {
    async snapshot(cancel) {
      const { aws, access } = await ask();
      const source = access.alarmSource(aws);
      const before = await access.snapshotAlarms(source, names, cancel);
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
