import type { Invariant } from "./explore";
import { perform, phaseOf, placeOf, staysStopped, traffic } from "./host";
import { type Program, programOf } from "./program";
import { changed, type Design, GUARDS, type Guard, keyOf, lives, type Release, type State, type Wrong } from "./state";

const never = (sentence: string, what: Wrong): Invariant<State> => ({
  sentence,
  at: "every state",
  holds: ({ wrong }) => !wrong.includes(what),
});

const always = (sentence: string, holds: (state: State) => boolean): Invariant<State> => ({
  sentence,
  at: "every state",
  holds,
});

const inTheEnd = (sentence: string, holds: (state: State) => boolean): Invariant<State> => ({
  sentence,
  at: "rest",
  holds,
});

/** A reboot now, whatever of the unsynced rename it keeps: the committed container comes up, and its configuration is there. */
function comesUp(state: State): boolean {
  const up = (release: Release) =>
    release === "old" ? state.oldAlways : state.candidate !== "none" && state.candidateAlways && state.folder;
  return up(state.current) && up(state.currentSynced);
}

const settles = (state: State): boolean =>
  GUARDS.some((guard) => {
    const settling = /^(undo|serve|finish)$/.test(phaseOf(state, guard));
    return settling && (guard === "next" || state.ending !== "none");
  });

const INVARIANTS: readonly Invariant<State>[] = [
  never("a mutation never lands after its undo", "late"),
  never("a mutation is never done before its undo is on disk", "early"),
  never("a torn last line is never acted on", "torn"),
  always(
    "the mutation of a torn last line was never done",
    ({ torn, lines, landed }) => !torn || landed < Math.max(lines, 1),
  ),
  never("after the rename nothing leads back", "back"),
  never("a runner whose last answer is older than half the lease sends nothing", "stale"),
  never("a run-out lease is not taken for an end of input", "misnamed"),
  always(
    "a lost runner's connection is gone before anything is undone",
    (state) => !settles(state) || !state.connection,
  ),
  always("two guards never both hold the lock", ({ first, next }) => !(lives(first) && lives(next))),
  always("current names a complete release", ({ current, folder }) => current === "old" || folder),
  always("a reboot comes up on exactly one release, and it serves", comesUp),
  always("all traffic goes to releases that run", (state) => !traffic(state).includes("nobody")),
  always(
    "the live release is not stopped before the rename",
    ({ current, currentSynced, old, oldAlways }) =>
      (current === "candidate" && currentSynced === "candidate") || (old === "running" && oldAlways),
  ),
  always("what the guard said holds from then on", ({ said, current, currentSynced }) =>
    said === "nothing"
      ? true
      : [current, currentSynced].every((is) => is === (said === "COMMITTED" ? "candidate" : "old")),
  ),
  inTheEnd(
    "no journal and no lock holder stay",
    ({ lines, first, next, orphan }) => lines < 0 && !lives(first) && !lives(next) && orphan < 0,
  ),
  inTheEnd("traffic goes to the committed release alone", (state) => traffic(state).join() === state.current),
  inTheEnd("the committed release alone has the policy always", (state) =>
    state.current === "old" ? state.oldAlways && !state.candidateAlways : state.candidateAlways && !state.oldAlways,
  ),
  inTheEnd(
    "nothing of a dead deploy runs",
    ({ current, candidate }) => current === "candidate" || candidate !== "running",
  ),
  inTheEnd("a release that was replaced is stopped", ({ current, old }) => current === "old" || old === "stopped"),
];

/** An entry that a guard is about to do, or has done and is about to do again after a crash. */
function twiceIsOnce(program: Program, design: Design): Invariant<State> {
  const done = (state: State, guard: Guard): State =>
    changed(state, (to) => perform(to, program.lines[placeOf(state, guard)]?.entry ?? "begin", design));
  return always("an entry done twice is as good as once", (state) =>
    GUARDS.every((guard) => {
      if (!/^(undo|finish)$/.test(phaseOf(state, guard))) return true;
      const once = done(state, guard);
      return keyOf(once) === keyOf(done(once, guard));
    }),
  );
}

/** Where failed candidates are not kept for a look, nothing of them is left. */
const NOTHING_KEPT = inTheEnd(
  "nothing of a dead deploy is left",
  ({ current, candidate, folder }) => current === "candidate" || (candidate === "none" && !folder),
);

/** All that has to hold for a design. */
export function invariantsOf(design: Design): readonly Invariant<State>[] {
  const kept = staysStopped(design) ? [] : [NOTHING_KEPT];
  return [...INVARIANTS, ...kept, twiceIsOnce(programOf(design), design)];
}
