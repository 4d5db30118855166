/** What a defective design does otherwise; the design itself has none. mutants.ts says which invariant catches which. */
export type Defect =
  | "the mutation goes before its undo"
  | "the rename goes before the policy"
  | "the old one is retired before the rename"
  | "the answer goes before the fsync"
  | "COMMITTED is said before the fsync"
  | "a torn line counts"
  | "the journal is cleared first"
  | "undo goes forward"
  | "undo looks once"
  | "nothing is fenced"
  | "only the end of input is fenced"
  | "there is no lease"
  | "read's own status is lost"
  | "the runner doesn't look at its lease"
  | "a replay doesn't look at current"
  | "a replay fences nothing"
  | "a replay trusts a rename that is not on disk"
  | "forget takes what is committed"
  | "a silent holder's lock is broken"
  | "a child keeps the lock"
  | "a deed's child frees the lock"
  | "retiring leaves the proxy as it is"
  | "a shift trusts an earlier fill"
  | "a silent dockerd is a stopped proxy"
  | "a silent dockerd has no containers"
  | "ABORT takes back what is committed"
  | "a stuck journal loses its owner"
  | "ABORT looks once"
  | "keep looks once"
  | "an entry fails where there is nothing left to do"
  | "the way back swaps the slots"
  // not a defect but the other way to end a failed deploy, keep-failed: true
  | "keep-failed"
  // nor this: the candidate is a release that was there before, stopped and kept
  | "rollback"
  // nor this: both releases serve before all traffic moves
  | "in steps";

export type Design = ReadonlySet<Defect>;

/**
 * A guard's life: it reads (`idle`), does what a message asks (`append`, `deed`, `renamed`), and at the end goes back
 * (`undo`) or forward (`serve`, `finish`) entry by entry. `stuck` gave an entry up and serves its own runner; `dead` was killed, `gone` left.
 */
export type Phase =
  | "none"
  | "idle"
  | "append"
  | "deed"
  | "retiring early"
  | "renamed"
  | "fence"
  | "settle"
  | "serve"
  | "undo"
  | "finish"
  | "close"
  | "unlinked"
  | "stuck"
  | "dead"
  | "gone";

export type Release = "old" | "candidate";
export type SlotState = "maint" | "drain" | "ready";

/** Flat, so that a copy is cheap and a key is one join. */
export interface State {
  /** `lost`: it knows that its guard is gone or silent, and asks the host anew; `ended`: it knows how it ended */
  runner: "runs" | "paused" | "dead" | "lost" | "ended";
  /** rows of the program that it has sent, and those whose answer it has */
  sent: number;
  acked: number;
  /** rows that the host has answered, and the next one for the guard to read */
  answered: number;
  read: number;
  abort: "no" | "sent" | "read";
  /** its last acknowledged beat is younger than half the lease */
  fresh: boolean;
  /** a call to Docker failed, or what came of it is not known */
  failed: boolean;
  wire: "up" | "cut";
  /** sshd's process for the runner's connection lives */
  connection: boolean;
  /** a call to Docker on its way: on the wire, or in dockerd's hands */
  call: "none" | "wire" | "hand";

  /** the guard of this deploy, and whichever comes after it (a reconnect, `post`, the next deploy) */
  first: Phase;
  firstAt: number;
  next: Phase;
  nextAt: number;
  /** looks that found the candidate gone; -1: dockerd was asked in vain */
  looks: number;
  /** whoever replays the journal knows whose it is, and so finds its containers by their label */
  owner: boolean;
  /** the row of a deed whose guard was killed while a child did it; -1 = none */
  orphan: number;
  said: "nothing" | "COMMITTED" | "ABORTED";
  ending: "none" | "end of input" | "lease";

  /** lines of the journal as processes see it, and as a power cut leaves it; -1 = there is no journal */
  lines: number;
  synced: number;
  torn: boolean;
  current: Release;
  currentSynced: Release;
  /** the candidate's release folder is complete */
  folder: boolean;

  dockerd: "up" | "down";
  old: "stopped" | "running";
  oldAlways: boolean;
  candidate: "none" | "stopped" | "running";
  candidateAlways: boolean;
  blue: SlotState;
  green: SlotState;
  /** a slot that the proxy was not told of since its start has no address */
  blueFilled: boolean;
  greenFilled: boolean;

  /** the furthest line whose mutation was done, and the nearest that was undone */
  landed: number;
  undone: number;
  /** the wrong steps so far, of those that a state alone doesn't show */
  wrong: string;
  faults: number;
}

export type Wrong = "late" | "early" | "torn" | "back" | "stale" | "misnamed";

export const NOTHING_UNDONE = 99;

export const initial = (faults: number): State => ({
  runner: "runs",
  sent: 0,
  acked: 0,
  answered: 0,
  read: 0,
  abort: "no",
  fresh: true,
  failed: false,
  wire: "up",
  connection: true,
  call: "none",
  first: "idle",
  firstAt: 0,
  next: "none",
  nextAt: 0,
  looks: 0,
  owner: true,
  orphan: -1,
  said: "nothing",
  ending: "none",
  lines: -1,
  synced: -1,
  torn: false,
  current: "old",
  currentSynced: "old",
  folder: false,
  dockerd: "up",
  old: "running",
  oldAlways: true,
  candidate: "none",
  candidateAlways: false,
  blue: "ready",
  green: "maint",
  blueFilled: true,
  greenFilled: false,
  landed: 0,
  undone: NOTHING_UNDONE,
  wrong: "",
  faults,
});

export const keyOf = (state: State): string => Object.values(state).join();

export type Guard = "first" | "next";
export const GUARDS: readonly Guard[] = ["first", "next"];
export const lives = (phase: Phase): boolean => phase !== "none" && phase !== "dead" && phase !== "gone";

export function changed(state: State, change: (to: State) => void): State {
  const to = { ...state };
  change(to);
  return to;
}
