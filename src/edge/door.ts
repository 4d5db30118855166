import * as core from "@actions/core";
import type { HostInputs } from "../github/host-inputs";
import type { Log } from "../release/log";
import type { AskAws } from "./aws";

/** What main leaves to its post step: under whose name it opened the door, and the rules. */
const STATE = "door";
interface Opened {
  readonly holder: string;
  readonly ruleIds: readonly string[];
}
const remember = (opened: Opened | undefined): void => core.saveState(STATE, opened ? JSON.stringify(opened) : "");

export interface DoorOf {
  readonly inputs: HostInputs;
  /** the transaction, which no other step has */
  readonly holder: string;
  /** of the run */
  readonly url: string;
  readonly ask: AskAws;
  readonly log: Log;
}

/**
 * Does something while the hosts' SSH port is open for this runner, where the inputs want it opened. The door is shut
 * behind it however it ended, and by the post step where this process did not get to that.
 *
 * @throws {UserError} when it can't be opened
 */
export async function throughDoor<T>(door: DoorOf, body: () => Promise<T>): Promise<T> {
  const { inputs, log } = door;
  const groupId = inputs.access.securityGroup;
  if (!groupId) return body();
  const { holder } = door;
  let ruleIds: readonly string[] = [];
  remember({ holder, ruleIds }); // before it is opened: a rule that is in hand when this process ends carries that name
  try {
    ruleIds = await log.phase("open port", () => open(door, groupId));
    remember({ holder, ruleIds });
    return await body();
  } finally {
    await shut(door, groupId, { holder, ruleIds });
  }
}

/** What main opened and could not shut. */
export async function shutBehindMain(door: Omit<DoorOf, "holder">): Promise<void> {
  const state = core.getState(STATE);
  const groupId = door.inputs.access.securityGroup;
  if (state && groupId) await shut(door, groupId, JSON.parse(state) as Opened);
}

const clock = {
  now: Date.now,
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

async function open({ inputs, holder, url, ask, log }: DoorOf, groupId: string): Promise<readonly string[]> {
  const { aws, access } = await ask();
  const { cidrs, warnings: unsure } = await access.runnerAddresses();
  const warnings = [...unsure];
  const ids: string[] = [];
  for (const port of portsOf(inputs)) {
    const opened = await access.openDoor(aws, { groupId, port, cidrs, holder: { name: holder, url }, clock });
    ids.push(...opened.ruleIds);
    warnings.push(...opened.warnings);
    log.info(`Port ${port} of ${groupId} is open for ${cidrs.join(" and ")} while this step runs.`);
  }
  for (const line of warnings) log.warning(line);
  return ids;
}

/** What can't be shut is told: by now the step has its result. */
async function shut({ url, ask, log }: Omit<DoorOf, "holder">, groupId: string, opened: Opened): Promise<void> {
  const { holder, ruleIds } = opened;
  const { aws, access } = await ask();
  const warnings = await access.closeDoor(aws, { groupId, ruleIds, holder: { name: holder, url }, clock });
  for (const line of warnings) log.warning(line);
  if (warnings.length > 0) return;
  remember(undefined);
  log.info(`The port of ${groupId} is shut again.`);
}

const portsOf = ({ hosts: { named, port } }: HostInputs): readonly number[] =>
  named.length === 0 ? [port] : [...new Set(named.map((host) => host.port))];
