// The one table of the fault matrix: what strikes, when, and what may come of it.
import { type Phase, phases } from "../support/phases";

export const faults = [
  "dockerd restarted",
  "host rebooted",
  "runner SIGKILLed",
  "wire cut silently",
  "guard SIGKILLed",
  "proxy killed",
  "disk filled",
  "connection reset",
] as const;
export type Fault = (typeof faults)[number];

/** Which requests a strategy itself may fail; those in an outage of the host, its dockerd or its proxy come on top. */
export const strategies = {
  "blue-green": "none",
  recreate: "between the releases",
} as const;
export type Strategy = keyof typeof strategies;

export const strategiesToRun: readonly Strategy[] = ["blue-green", "recreate"];

/** The faults that take the answers away for a while by themselves; in milliseconds, the longest while. */
export const outages: Partial<Record<Fault, number>> = {
  "dockerd restarted": 30_000,
  "host rebooted": 45_000,
  "proxy killed": 15_000,
};

/** After these the host may need the next deploy to finish, if the deploy says so: an undo that must write can't, on a full disk. */
export const mayStick: readonly Fault[] = ["disk filled"];

/** Whoever serves in the end: `told` = the old release or the new one, as exit status and outputs say. */
export type Serves = "old" | "new" | "told";

/**
 * Before the commit nothing new may serve, unless the deploy went on and says so; after it nothing old. Nobody is left to
 * say anything of a killed runner: there, `told` means either.
 */
const table = `
                   connect guard preflight pull pre-deploy start probe shift bake commit retire
dockerd restarted  told    told  told      told old        old   old   old   old  told   new
host rebooted      old     old   old       old  old        old   old   old   old  told   new
runner SIGKILLed   old     old   old       old  old        old   old   old   old  told   new
wire cut silently  old     old   old       old  old        old   old   old   old  told   new
guard SIGKILLed    new     old   old       old  old        old   old   old   old  told   new
proxy killed       told    told  told      told told       told  told  told  old  told   new
disk filled        told    told  told      told told       told  told  told  told told   new
connection reset   told    old   old       old  old        old   old   old   old  told   new
`;

export interface Cell {
  readonly strategy: Strategy;
  readonly phase: Phase;
  readonly fault: Fault;
  readonly serves: Serves;
}

/** Phase by phase, so that the hosts side by side are in different faults. */
export const cells: readonly Cell[] = strategiesToRun.flatMap((strategy) =>
  phases.flatMap((phase) => faults.map((fault) => ({ strategy, phase, fault, serves: servesAfter(fault, phase) }))),
);

function servesAfter(fault: Fault, phase: Phase): Serves {
  const rows = table.trim().split("\n");
  const columns = rows[0]?.trim().split(/\s+/) ?? [];
  const row = rows.find((line) => line.startsWith(`${fault} `));
  const word = row?.slice(fault.length).trim().split(/\s+/)[columns.indexOf(phase)];
  if (word === "old" || word === "new" || word === "told") return word;
  throw new Error(`the table has no word for ${fault} in ${phase}`);
}
