import { COMES_TO_REST } from "../explore";
import type { Fault } from "./faults";
import type { Defect } from "./state";

/** A defect, the invariant that has to catch it, and the faults of the histories in which it does. */
export interface Mutant {
  readonly does: Defect;
  readonly breaks: string;
  readonly in: readonly Fault[];
}

const EARLY = "no host retires its old release before every host is committed on disk, unless it lost its runner";
const APART = "the hosts end on one release, unless one was without its runner in the middle of the commit";
const DEPLOYED = "a runner that says deployed has both on the new release, for good";
const SAID = "what a guard says is on disk";
const UNDONE = "what is undone is not current, neither in memory nor on disk";
const DECIDED = "of a prepared host nothing is undone or retired before that is decided on disk";
const LEFT = "no journal and no lock holder stay";

/** Deliberate defects: a model that could not fail would prove nothing. */
export const MUTANTS: readonly Mutant[] = [
  { does: "it finishes when it is renamed", breaks: EARLY, in: [] },
  { does: "FINISH goes out as each is committed", breaks: EARLY, in: [] },
  { does: "COMMIT goes out as each is prepared", breaks: APART, in: [] },
  {
    does: "a prepared host without its runner goes forward",
    breaks: "no host goes forward without a COMMIT",
    in: ["the runner is killed"],
  },
  {
    does: "a prepared host without its runner goes forward",
    breaks: "a commit that never began leads back everywhere",
    in: ["the runner is killed"],
  },
  { does: "a prepared host without its runner waits for ever", breaks: LEFT, in: ["the runner is killed"] },
  { does: "prepared is said before the fsync", breaks: SAID, in: [] },
  { does: "COMMITTED is said before the fsync", breaks: SAID, in: [] },
  { does: "COMMITTED is said before the fsync", breaks: DEPLOYED, in: ["a host loses power"] },
  {
    does: "a replay looks at current alone",
    breaks: "a journal with a revert never leads forward",
    in: ["the runner is paused"],
  },
  { does: "a replay looks at current alone", breaks: APART, in: ["the runner is paused"] },
  { does: "the way back leaves current for the end", breaks: UNDONE, in: ["the runner is paused"] },
  {
    does: "the way back leaves current for the end",
    breaks: "each host is on exactly one release",
    in: ["the runner is paused"],
  },
  { does: "a reconnect breaks the lock", breaks: "two guards never both hold the lock", in: ["a wire is cut"] },
  { does: "nothing is fenced", breaks: "nothing lands after the fence", in: ["a wire is cut"] },
  { does: "a torn line counts", breaks: "a torn last line is never acted on", in: ["a host loses power"] },
  { does: "the journal goes before the old release", breaks: "each host is on exactly one release", in: [] },
  { does: "an entry that was done fails", breaks: COMES_TO_REST, in: ["a guard is killed"] },
  { does: "nobody is reverted", breaks: APART, in: ["the runner is paused"] },
  { does: "an unknown host is said to be deployed", breaks: DEPLOYED, in: ["a wire is cut"] },
  {
    does: "a lost host is said to be back",
    breaks: "a runner that says rolled back has both on the old release, for good",
    in: ["a wire is cut", "a wire is cut"],
  },
];

/** What this model, or the reading for it, found in the protocol as it was first written down. */
export const HOLES: readonly Mutant[] = [
  { does: "it finishes as soon as its runner is lost", breaks: EARLY, in: ["a wire is cut"] },
  {
    does: "a waiting guard leaves for good",
    breaks: "a journal is left to nobody, unless its guard was killed",
    in: ["a wire is cut", "the runner is killed"],
  },
  { does: "another deploy decides at once", breaks: EARLY, in: ["a guard is killed"] },
  { does: "another deploy decides at once", breaks: APART, in: ["a guard is killed", "a guard is killed"] },
  {
    does: "a committed host is not come back to before it is needed",
    breaks: APART,
    in: ["the runner is paused", "a guard is killed"],
  },
  { does: "a takeover trusts a rename that is not on disk", breaks: SAID, in: ["a guard is killed"] },
  { does: "going back leaves no line", breaks: DECIDED, in: [] },
  { does: "going back leaves no line", breaks: UNDONE, in: ["the runner is paused", "a guard is killed"] },
  {
    does: "finishing leaves no line",
    breaks: "a host never goes back once its old release was retired",
    in: ["the runner is paused", "a guard is killed"],
  },
  {
    does: "a rename seen is taken for one on disk",
    breaks: "the old release is retired only where the new one is current, in memory and on disk",
    in: ["a guard is killed", "the runner is killed"],
  },
  { does: "a rename seen is taken for one on disk", breaks: UNDONE, in: ["the runner is paused", "a guard is killed"] },
  { does: "a line seen is taken for one on disk", breaks: DECIDED, in: ["a guard is killed"] },
];
