import type { Step } from "./explore";
import { enter, phaseOf, startContainers, startProxy } from "./host";
import { changed, GUARDS, lives, type Release, type State } from "./state";

/** What may go wrong at any point, a bounded number of times in one history. */
export type Fault =
  | "the runner is killed"
  | "the runner is paused"
  | "the wire is cut"
  | "a channel to dockerd is cut"
  | "a guard is killed"
  | "the host loses power"
  | "dockerd restarts"
  | "dockerd stops"
  | "the proxy is killed"
  | "an entry fails for good";

export const FAULTS: readonly Fault[] = [
  "the runner is killed",
  "the runner is paused",
  "the wire is cut",
  "a channel to dockerd is cut",
  "a guard is killed",
  "the host loses power",
  "dockerd restarts",
  "dockerd stops",
  "the proxy is killed",
  "an entry fails for good",
];

export function faultsIn(state: State, kinds: readonly Fault[]): Step<State>[] {
  if (state.faults === 0) return [];
  return kinds.flatMap((kind) =>
    outcomes(state, kind).map(([label, change]) => ({
      label: `FAULT ${label}`,
      to: changed(state, (to) => {
        to.faults -= 1;
        change(to);
      }),
      optional: true,
    })),
  );
}

type Outcome = readonly [label: string, change: (to: State) => void];

function outcomes(state: State, kind: Fault): readonly Outcome[] {
  const up = state.dockerd === "up";
  switch (kind) {
    case "the runner is killed":
      return when(state.runner === "runs" || state.runner === "paused", kind, (to) => {
        to.runner = "dead";
      });
    case "the runner is paused":
      return when(state.runner === "runs", kind, (to) => {
        to.runner = "paused";
      });
    case "the wire is cut":
      return when(state.wire === "up" && state.connection, kind, (to) => {
        to.wire = "cut";
      });
    case "a channel to dockerd is cut":
      return when(state.call !== "none" && !state.failed, kind, (to) => {
        if (to.call === "wire") to.call = "none";
        to.failed = true;
      });
    case "a guard is killed":
      return killGuard(state);
    case "the host loses power":
      return powerCut(state);
    case "dockerd restarts":
      return when(up, "dockerd restarts, and its containers by their policies", (to) => {
        dropCall(to);
        startContainers(to);
      });
    case "dockerd stops":
      return when(up, "dockerd stops, its containers live on", (to) => {
        dropCall(to);
        to.dockerd = "down";
      });
    case "the proxy is killed":
      return when(up, "the proxy is killed and restarted by dockerd", startProxy);
    case "an entry fails for good":
      return giveUp(state);
  }
}

const when = (possible: boolean, label: string, change: (to: State) => void): readonly Outcome[] =>
  possible ? [[label, change]] : [];

function dropCall(to: State): void {
  if (to.call !== "hand") return;
  to.call = "none";
  to.failed = true;
}

/** Its lock is free, sshd and its other channels live on, and so does the child that does a deed for it. */
const killGuard = (state: State): readonly Outcome[] =>
  GUARDS.filter((guard) => lives(phaseOf(state, guard))).map((guard) => [
    guard === "first" ? "the guard is killed" : "the later guard is killed",
    (to) => {
      if (phaseOf(to, guard) === "deed") to.orphan = to.firstAt;
      enter(to, guard, "dead");
    },
  ]);

function giveUp(state: State): readonly Outcome[] {
  return GUARDS.filter((guard) => /^(undo|serve|finish)$/.test(phaseOf(state, guard))).map((guard) => [
    `an entry fails for good under ${guard === "first" ? "the guard" : "the later guard"}: STUCK`,
    (to) => {
      to.looks = 0;
      enter(to, guard, guard === "first" ? "gone" : "stuck");
    },
  ]);
}

/** What was not fsynced is there afterwards, or isn't, or half of it is. All processes end; nobody's word is kept. */
function powerCut(state: State): readonly Outcome[] {
  const journals = journalsAfter(state);
  const links = [...new Set<Release>([state.currentSynced, state.current])];
  return links.flatMap((current) =>
    journals.map(([lines, torn]): Outcome => {
      const left = lines < 0 ? "no journal" : `${lines} lines${torn ? " and a torn one" : ""}`;
      return [
        `the host loses power, and has ${left} and current = ${current}`,
        (to) => reboot(to, lines, torn, current),
      ];
    }),
  );
}

function journalsAfter({ lines, synced, torn }: State): readonly (readonly [lines: number, torn: boolean])[] {
  if (lines === synced) return [[lines, torn]];
  if (lines < synced)
    return [
      [lines, false],
      [synced, torn],
    ]; // removed, but perhaps not on disk
  return [
    [synced, false],
    [Math.max(synced, 0), true],
    [lines, false],
  ];
}

function reboot(to: State, lines: number, torn: boolean, current: Release): void {
  Object.assign(to, { lines, synced: lines, torn, current, currentSynced: current });
  Object.assign(to, { connection: false, call: "none", orphan: -1, dockerd: "up", looks: 0 });
  for (const guard of GUARDS) if (lives(phaseOf(to, guard))) enter(to, guard, "dead");
  startContainers(to);
}
