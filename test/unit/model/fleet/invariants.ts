import type { Invariant } from "../explore";
import { GUARDS, type Host, holds, lives, NONE, PREPARED, REVERT, type State, type Wrong } from "./state";

const always = (sentence: string, holds: (state: State) => boolean): Invariant<State> => ({
  sentence,
  at: "every state",
  holds,
});

const onEach = (sentence: string, holds: (host: Host) => boolean): Invariant<State> =>
  always(sentence, ({ hosts }) => hosts.every(holds));

const never = (sentence: string, what: Wrong): Invariant<State> =>
  onEach(sentence, ({ wrong }) => !wrong.includes(what));

const inTheEnd = (sentence: string, holds: (state: State) => boolean): Invariant<State> => ({
  sentence,
  at: "rest",
  holds,
});

const is = (host: Host, release: Host["current"]): boolean =>
  host.current === release && host.currentSynced === release;

const isWhole = (host: Host): boolean =>
  host.current === "new" ? host.retired === 2 && host.undone === 0 : host.undone === 2 && host.retired === 0;

/** Between the first COMMIT and the last answer a runner can be lost; nothing that asks nobody can decide then. */
const excused = ({ alone, hosts }: State): boolean => alone || hosts.some(({ knows }) => knows === "unknown");

export const INVARIANTS: readonly Invariant<State>[] = [
  never("no host retires its old release before every host is committed on disk, unless it lost its runner", "early"),
  never("a journal with a revert never leads forward", "forward"),
  never("nothing lands after the fence", "late"),
  never("a torn last line is never acted on", "torn"),
  onEach(
    "a host never goes back once its old release was retired",
    ({ undone, retired }) => undone === 0 || retired === 0,
  ),
  onEach(
    "what is undone is not current, neither in memory nor on disk",
    (host) => host.undone === 0 || is(host, "old"),
  ),
  onEach(
    "of a prepared host nothing is undone or retired before that is decided on disk",
    ({ undone, retired, lines, synced }) => undone + retired === 0 || lines < PREPARED || synced >= REVERT,
  ),
  onEach(
    "the old release is retired only where the new one is current, in memory and on disk",
    (host) => host.retired === 0 || is(host, "new"),
  ),
  onEach("no host goes forward without a COMMIT", ({ current, told }) => current === "old" || told),
  onEach(
    "what a guard says is on disk",
    ({ answer, synced, currentSynced }) =>
      (answer !== "prepared" || synced >= PREPARED) && (answer !== "committed" || currentSynced === "new"),
  ),
  onEach("two guards never both hold the lock", (host) => GUARDS.filter((guard) => holds(host[guard])).length < 2),
  onEach(
    "a journal is left to nobody, unless its guard was killed",
    (host) => host.lines === NONE || GUARDS.some((guard) => lives(host[guard]) || host[guard] === "dead"),
  ),
  always(
    "a runner that says deployed has both on the new release, for good",
    ({ says, hosts }) => says !== "deployed" || hosts.every((host) => is(host, "new")),
  ),
  always(
    "a runner that says rolled back has both on the old release, for good",
    ({ says, hosts }) => says !== "rolled back" || hosts.every((host) => is(host, "old")),
  ),
  inTheEnd("no journal and no lock holder stay", ({ hosts }) =>
    hosts.every((host) => host.lines === NONE && !GUARDS.some((guard) => lives(host[guard]))),
  ),
  inTheEnd("each host is on exactly one release", ({ hosts }) => hosts.every(isWhole)),
  inTheEnd(
    "the hosts end on one release, unless one was without its runner in the middle of the commit",
    (state) => excused(state) || state.hosts[0].current === state.hosts[1].current,
  ),
  inTheEnd(
    "a commit that never began leads back everywhere",
    ({ hosts }) => hosts.some(({ told }) => told) || hosts.every((host) => is(host, "old")),
  ),
];
