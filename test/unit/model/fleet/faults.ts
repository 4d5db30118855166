import type { Step } from "../explore";
import {
  changed,
  changedAll,
  cutOff,
  GUARDS,
  HOSTS,
  type Host,
  lives,
  NONE,
  nameOf,
  over,
  type Release,
  type State,
  type Which,
} from "./state";

/** What may go wrong at any point, a bounded number of times in one history. */
export type Fault =
  | "the runner is killed"
  | "the runner is paused"
  | "a wire is cut"
  | "a guard is killed"
  | "a host loses power";

export const FAULTS: readonly Fault[] = [
  "the runner is killed",
  "the runner is paused",
  "a wire is cut",
  "a guard is killed",
  "a host loses power",
];

export function faultsIn(state: State, kinds: readonly Fault[]): Step<State>[] {
  if (state.faults === 0) return [];
  return [...kinds.flatMap((kind) => ofRunner(state, kind)), ...HOSTS.flatMap((which) => ofHost(state, which, kinds))];
}

function ofRunner(state: State, kind: Fault): Step<State>[] {
  const fault = (runner: State["runner"]) => [
    {
      label: `FAULT ${kind}`,
      to: changedAll(state, (to) => {
        to.runner = runner;
        to.faults -= 1;
      }),
      optional: true,
    },
  ];
  if (kind === "the runner is killed" && (state.runner === "runs" || state.runner === "paused")) return fault("dead");
  return kind === "the runner is paused" && state.runner === "runs" ? fault("paused") : [];
}

function ofHost(state: State, which: Which, kinds: readonly Fault[]): Step<State>[] {
  const asks = over(state) ? kinds.filter((kind) => kind !== "a wire is cut") : kinds;
  return asks.flatMap((kind) =>
    outcomes(state.hosts[which], kind).map(([label, change]) => ({
      label: `FAULT on ${nameOf(which)}: ${label}`,
      to: changed(state, which, (host, to) => {
        to.faults -= 1;
        change(host);
      }),
      optional: true,
    })),
  );
}

type Outcome = readonly [label: string, change: (to: Host) => void];

function outcomes(host: Host, kind: Fault): readonly Outcome[] {
  switch (kind) {
    case "a wire is cut":
      return host.wire === "cut"
        ? []
        : [
            [
              kind,
              (to) => {
                to.wire = "cut";
              },
            ],
          ];
    case "a guard is killed":
      return GUARDS.filter((guard) => lives(host[guard])).map((guard) => [
        `its guard (${guard}) is killed`,
        (to) => {
          to[guard] = "dead";
        },
      ]);
    case "a host loses power":
      return powerCut(host);
    default:
      return [];
  }
}

/** What was not fsynced is there afterwards, or isn't, or half of it is. All processes end. */
function powerCut(host: Host): readonly Outcome[] {
  const links = [...new Set<Release>([host.currentSynced, host.current])];
  return links.flatMap((current) =>
    journalsAfter(host).map(([lines, torn]): Outcome => {
      const left = lines === NONE ? "no journal" : `${lines} lines${torn ? " and a torn one" : ""}`;
      return [`it loses power, and has ${left} and current = ${current}`, (to) => reboot(to, lines, torn, current)];
    }),
  );
}

function journalsAfter({ lines, synced, torn }: Host): readonly (readonly [lines: number, torn: boolean])[] {
  if (lines === synced) return [[lines, torn]];
  if (lines < synced)
    return [
      [lines, false],
      [synced, torn],
    ]; // removed, but perhaps not on disk
  return [
    [synced, false],
    [synced, true],
    [lines, false],
  ];
}

function reboot(to: Host, lines: number, torn: boolean, current: Release): void {
  Object.assign(to, { lines, synced: lines, torn, current, currentSynced: current });
  cutOff(to, "first");
  cutOff(to, "again");
  for (const guard of GUARDS) if (lives(to[guard]) || guard === "first") to[guard] = "dead";
}
