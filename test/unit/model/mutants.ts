import { COMES_TO_REST } from "./explore";
import type { Fault } from "./faults";
import type { Defect } from "./state";

/** Defects, the invariant that has to catch them, and the faults of the histories in which it does. */
export interface Mutant {
  readonly does: readonly Defect[];
  readonly breaks: string;
  readonly in: readonly Fault[];
}

const LATE = "a mutation never lands after its undo";
const EARLY = "a mutation is never done before its undo is on disk";
const REBOOT = "a reboot comes up on exactly one release, and it serves";
const TRAFFIC = "all traffic goes to releases that run";
const COMMITTED_ALONE = "traffic goes to the committed release alone";
const BACK = "after the rename nothing leads back";
const LEFT = "nothing of a dead deploy is left";

/** Deliberate defects: a model that could not fail would prove nothing. */
export const MUTANTS: readonly Mutant[] = [
  { does: ["the mutation goes before its undo"], breaks: EARLY, in: [] },
  { does: ["the answer goes before the fsync"], breaks: EARLY, in: [] },
  {
    does: ["the answer goes before the fsync"],
    breaks: "the mutation of a torn last line was never done",
    in: ["the host loses power"],
  },
  { does: ["a torn line counts"], breaks: "a torn last line is never acted on", in: ["the host loses power"] },
  { does: ["the rename goes before the policy"], breaks: REBOOT, in: [] },
  {
    does: ["the old one is retired before the rename"],
    breaks: "the live release is not stopped before the rename",
    in: [],
  },
  { does: ["COMMITTED is said before the fsync"], breaks: "what the guard said holds from then on", in: [] },
  { does: ["the journal is cleared first"], breaks: LEFT, in: ["a guard is killed"] },
  { does: ["undo goes forward"], breaks: TRAFFIC, in: [] },
  { does: ["undo looks once"], breaks: LATE, in: ["the runner is killed"] },
  {
    does: ["undo looks once", "keep-failed"],
    breaks: "nothing of a dead deploy runs",
    in: ["the runner is killed"],
  },
  { does: ["the way back swaps the slots"], breaks: "an entry done twice is as good as once", in: [] },
  { does: ["nothing is fenced"], breaks: LATE, in: ["the runner is killed"] },
  {
    does: ["nothing is fenced"],
    breaks: "a lost runner's connection is gone before anything is undone",
    in: ["the runner is paused"],
  },
  { does: ["nothing is fenced"], breaks: LEFT, in: ["the wire is cut"] },
  { does: ["only the end of input is fenced"], breaks: LATE, in: ["the wire is cut"] },
  { does: ["an entry fails where there is nothing left to do"], breaks: COMES_TO_REST, in: [] },
  { does: ["there is no lease"], breaks: "no journal and no lock holder stay", in: ["the runner is paused"] },
  {
    does: ["read's own status is lost"],
    breaks: "a run-out lease is not taken for an end of input",
    in: ["the wire is cut"],
  },
  {
    does: ["the runner doesn't look at its lease"],
    breaks: "a runner whose last answer is older than half the lease sends nothing",
    in: ["the runner is paused"],
  },
  { does: ["a replay doesn't look at current"], breaks: BACK, in: ["a guard is killed"] },
  { does: ["a replay doesn't look at current"], breaks: TRAFFIC, in: ["a guard is killed"] },
  {
    does: ["a replay doesn't look at current", "forget takes what is committed"],
    breaks: "current names a complete release",
    in: ["a guard is killed"],
  },
  {
    does: ["a silent holder's lock is broken"],
    breaks: "two guards never both hold the lock",
    in: ["the runner is paused"],
  },
  { does: ["a child keeps the lock"], breaks: "no journal and no lock holder stay", in: ["a guard is killed"] },
  { does: ["a deed's child frees the lock"], breaks: LATE, in: ["a guard is killed"] },
];

/** What this model, or the reading for it, found in the first guard.sh and its runner (b075984). */
export const HOLES: readonly Mutant[] = [
  { does: ["a replay fences nothing"], breaks: LATE, in: ["a guard is killed"] },
  { does: ["a replay trusts a rename that is not on disk"], breaks: REBOOT, in: ["a guard is killed"] },
  { does: ["retiring leaves the proxy as it is"], breaks: TRAFFIC, in: ["the proxy is killed"] },
  { does: ["a shift trusts an earlier fill"], breaks: TRAFFIC, in: ["the proxy is killed"] },
  { does: ["a shift trusts an earlier fill", "in steps"], breaks: TRAFFIC, in: ["the proxy is killed"] },
  { does: ["a silent dockerd is a stopped proxy"], breaks: TRAFFIC, in: ["dockerd stops"] },
  {
    does: ["a silent dockerd has no containers"],
    breaks: "a release that was replaced is stopped",
    in: ["dockerd stops"],
  },
  {
    does: ["a silent dockerd has no containers"],
    breaks: "the committed release alone has the policy always",
    in: ["dockerd stops"],
  },
  {
    does: ["ABORT takes back what is committed"],
    breaks: COMMITTED_ALONE,
    in: ["an entry fails for good", "an entry fails for good"],
  },
  {
    does: ["ABORT takes back what is committed"],
    breaks: REBOOT,
    in: ["an entry fails for good", "an entry fails for good"],
  },
  {
    does: ["a stuck journal loses its owner"],
    breaks: LEFT,
    in: ["an entry fails for good", "an entry fails for good"],
  },
  { does: ["keep looks once", "keep-failed"], breaks: "nothing of a dead deploy runs", in: ["the runner is killed"] },
  { does: ["keep looks once", "rollback"], breaks: "nothing of a dead deploy runs", in: ["the runner is killed"] },
  { does: ["ABORT looks once"], breaks: LEFT, in: ["a channel to dockerd is cut"] },
];
