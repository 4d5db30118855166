import * as core from "@actions/core";
import type { HostInputs } from "../github/host-inputs";
import type { Log } from "../release/log";
import type { Target } from "../release/world";
import { type AskAws, type AwsAtHand, awsOnDemand } from "./aws";
import { isPrivate, ownAddressTowards } from "./own-address";

/** What main leaves to its post step: all that shutting the door needs, whatever the inputs are by then. */
interface Opened {
  readonly groupId: string;
  readonly region: string;
  readonly holder: string;
  readonly url: string;
  /** left out = it is being opened, and what of it is there only its tag tells */
  readonly ruleIds?: readonly string[];
}
const STATE = "door";
const remember = (opened: Opened | undefined): void => core.saveState(STATE, opened ? JSON.stringify(opened) : "");

export interface DoorOf {
  readonly inputs: HostInputs;
  /** whose port it is */
  readonly hosts: readonly Target[];
  /** the transaction, which no other step has */
  readonly holder: string;
  /** of the run */
  readonly url: string;
  readonly ask: AskAws;
  readonly log: Log;
}

/**
 * Opens the hosts' SSH port for this runner, where the inputs want it opened. The post step shuts it where this process
 * does not get to that.
 *
 * @returns what shuts it
 * @throws {UserError} when it can't be opened; it is shut then
 */
export async function openDoor(door: DoorOf): Promise<() => Promise<void>> {
  const { inputs, holder, url, ask, log } = door;
  const groupId = inputs.access.securityGroup;
  if (!groupId) return async () => {};
  const { aws } = await ask();
  const opening = { groupId, region: aws.region, holder, url };
  remember(opening); // before it is opened: a rule that is in hand when this process ends carries the holder's name
  try {
    const opened = { ...opening, ruleIds: await log.phase("open port", () => open(door, groupId)) };
    remember(opened);
    return () => shut(opened, ask, log);
  } catch (error) {
    await shut(opening, ask, log);
    throw error;
  }
}

export const isLeftOpen = (): boolean => core.getState(STATE) !== "";

/** What main opened and could not shut. */
export async function shutBehindMain(log: Log): Promise<void> {
  if (!isLeftOpen()) return;
  const opened = JSON.parse(core.getState(STATE)) as Opened;
  await shut(opened, awsOnDemand(opened.region, log), log);
}

const clock = {
  now: Date.now,
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

async function open(door: DoorOf, groupId: string): Promise<readonly string[]> {
  const { inputs, holder, url, ask, log } = door;
  const { aws, access } = await ask();
  const { cidrs, warnings } = await addresses(door, access);
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

/** Where this runner's connections come from: within a network from its own address, else from the one that the internet sees. */
async function addresses({ inputs, hosts }: DoorOf, access: AwsAtHand["access"]) {
  const within = ({ instance, address }: Target) =>
    instance ? inputs.hosts.address === "private" : isPrivate(address);
  const own = await Promise.all(hosts.filter(within).map(({ address }) => ownAddressTowards(address)));
  const outside = hosts.every(within) ? { cidrs: [], warnings: [] } : await access.runnerAddresses();
  return { cidrs: [...new Set([...own, ...outside.cidrs])], warnings: [...outside.warnings] };
}

/** What can't be shut is told: by now the step has its result. */
async function shut(opened: Opened, ask: AskAws, log: Log): Promise<void> {
  const { groupId, holder, url, ruleIds } = opened;
  const { aws, access } = await ask();
  const warnings = await access.closeDoor(aws, { groupId, ruleIds, holder: { name: holder, url }, clock });
  for (const line of warnings) log.warning(line);
  if (warnings.length > 0) return;
  remember(undefined);
  log.info(`What this step opened in ${groupId} is shut again.`);
}

const portsOf = ({ hosts: { named, port } }: HostInputs): readonly number[] =>
  named.length === 0 ? [port] : [...new Set(named.map((host) => host.port))];
