/** What a defective protocol does otherwise; the protocol itself has none. mutants.ts says which invariant catches which. */
export type Defect =
  | "it finishes when it is renamed"
  | "it finishes as soon as its runner is lost"
  | "a prepared host without its runner goes forward"
  | "a prepared host without its runner waits for ever"
  | "prepared is said before the fsync"
  | "COMMITTED is said before the fsync"
  | "a replay looks at current alone"
  | "going back leaves no line"
  | "finishing leaves no line"
  | "a line seen is taken for one on disk"
  | "the way back leaves current for the end"
  | "a rename seen is taken for one on disk"
  | "a takeover trusts a rename that is not on disk"
  | "a reconnect breaks the lock"
  | "nothing is fenced"
  | "a torn line counts"
  | "the journal goes before the old release"
  | "an entry that was done fails"
  | "a waiting guard leaves for good"
  | "another deploy decides at once"
  | "a committed host is not come back to before it is needed"
  | "COMMIT goes out as each is prepared"
  | "FINISH goes out as each is committed"
  | "nobody is reverted"
  | "an unknown host is said to be deployed"
  | "a lost host is said to be back";

export type Design = ReadonlySet<Defect>;

export type Message = "" | "PREPARE" | "COMMIT" | "FINISH" | "REVERT" | "ABORT";

/** What a guard answers: `back` is ABORTED, or READY with the old release and no journal; `finished` likewise. */
export type Answer = "" | "prepared" | "committed" | "back" | "finished";

/**
 * A guard's life. It waits for the lock (`queue`), reads, does what a message asks (`prepare`, `rename`: written,
 * not yet fsynced). Without its runner it waits for a reconnect (`wait`), or lets go of the lock for one (`yield`). At the
 * end it looks where the journal leads (`settle`), and writes that down (`decided`) before it does it. `dead` was killed, `gone` left.
 */
export type Phase =
  | "none"
  | "queue"
  | "read"
  | "prepare"
  | "rename"
  | "decided"
  | "wait"
  | "yield"
  | "settle"
  | "point back"
  | "pointed"
  | "undo"
  | "retire"
  | "close"
  | "unlinked"
  | "dead"
  | "gone";

/** Of this deploy the guard that it began with, or the last but one; the one it came back with; and one of post or the next run. */
export type Guard = "first" | "again" | "other";
export type Own = Exclude<Guard, "other">;
export const GUARDS: readonly Guard[] = ["first", "again", "other"];

export type Release = "old" | "new";

/** The journal's lines, as far as they matter here. */
export const NONE = 0;
export const BEGUN = 1;
export const PREPARED = 2;
/** The last line, once it is decided: back, or forward. Nobody takes such a journal over any more. */
export const REVERT = 3;
export const FINISH = 4;

/** Flat, so that a copy is cheap and a key is one join. */
export interface Host {
  first: Phase;
  again: Phase;
  other: Phase;
  /** sshd's processes for the connections of the runner's two guards */
  firstConnection: boolean;
  againConnection: boolean;
  /** sent to a guard, and not read yet */
  firstMail: Message;
  againMail: Message;
  /** what the runner's new guard is to do with a prepared journal of its own */
  turn: "again" | "settle";
  wire: "up" | "cut";

  /** the guard that the runner talks to; none: it lost it */
  via: Own | "none";
  /** a message or a reconnect has no answer yet */
  asked: boolean;
  answer: Answer;
  /** `left`: committed, and not reached any more */
  knows: "begun" | "prepared" | "committed" | "finished" | "back" | "unknown" | "left";

  /** lines as processes see them, and as a power cut leaves them */
  lines: number;
  synced: number;
  torn: boolean;
  current: Release;
  currentSynced: Release;
  /** nothing, half of it, all */
  undone: number;
  retired: number;

  /** the runner has sent a COMMIT to it */
  told: boolean;
  /** the wrong steps so far, of those that a state alone doesn't show */
  wrong: string;
}

export interface State {
  runner: "runs" | "paused" | "dead" | "ended";
  stage: "prepare" | "abort" | "commit" | "revert" | "finish";
  says: "" | "deployed" | "rolled back" | "failed";
  /** a host was without its runner for as long as it waits, between the first COMMIT and the last answer */
  alone: boolean;
  faults: number;
  hosts: readonly [Host, Host];
}

export type Wrong = "early" | "late" | "torn" | "forward";

const HOST: Host = {
  first: "read",
  again: "gone",
  other: "none",
  firstConnection: true,
  againConnection: false,
  firstMail: "",
  againMail: "",
  turn: "again",
  wire: "up",
  via: "first",
  asked: false,
  answer: "",
  knows: "begun",
  lines: BEGUN,
  synced: BEGUN,
  torn: false,
  current: "old",
  currentSynced: "old",
  undone: 0,
  retired: 0,
  told: false,
  wrong: "",
};

/** Both hosts are locked, and everything up to the commit is done. */
export const initial = (faults: number): State => ({
  runner: "runs",
  stage: "prepare",
  says: "",
  alone: false,
  faults,
  hosts: [theSame(HOST), theSame(HOST)],
});

/** Each host that was met, once: its number stands for it in keys. */
const known = new Map<string, Host>();
const numbers = new WeakMap<Host, number>();

function theSame(host: Host): Host {
  const key = Object.values(host).join();
  const same = known.get(key);
  if (same) return same;
  known.set(key, host);
  numbers.set(host, known.size);
  return host;
}

/** The runner treats its hosts alike: exchanged, they are the same state. */
export function keyOf({ runner, stage, says, alone, faults, hosts }: State): string {
  const [one, two] = hosts.map((host) => numbers.get(host) ?? 0).sort((a, b) => a - b);
  return `${runner} ${stage} ${says} ${alone} ${faults} ${one} ${two}`;
}

/** What nothing depends on any more is forgotten, so that states which differ in nothing else are one. */
function forget(to: State, which?: Which): void {
  const ended = over(to);
  if (ended && to.stage !== "finish") to.stage = "commit";
  const [a, b] = to.hosts;
  to.hosts = [which === 1 && !ended ? a : forgetOn(a, ended), which === 0 && !ended ? b : forgetOn(b, ended)];
}

const ENDS: ReadonlySet<Host["knows"]> = new Set(["back", "finished", "unknown", "left"]);

function forgetOn(host: Host, ended: boolean): Host {
  const to = { ...host };
  const ends = ENDS.has(to.knows);
  if (ended || ends) Object.assign(to, { via: "none", asked: false, answer: "" });
  if (ended && to.knows !== "unknown") to.knows = "begun";
  for (const own of ["first", "again"] as const) {
    if (lives(to[own])) continue;
    mail(to, own, "");
    if (to.via !== own || to.answer === "") cutOff(to, own);
    if (to[own] !== "dead" || to.lines === NONE) to[own] = "gone";
  }
  if (!lives(to.other) && (to.other !== "dead" || to.lines === NONE)) to.other = "none";
  if (to.again !== "queue") to.turn = "again";
  if ((ended && to.firstMail === "" && to.againMail === "") || (ends && !isLocked(to))) to.wire = "up";
  return theSame(to);
}

export type Which = 0 | 1;
export const HOSTS: readonly Which[] = [0, 1];
export const nameOf = (which: Which): string => (which === 0 ? "A" : "B");

export const lives = (phase: Phase): boolean => phase !== "none" && phase !== "dead" && phase !== "gone";
export const holds = (phase: Phase): boolean => lives(phase) && phase !== "queue" && phase !== "yield";
export const isLocked = (host: Host): boolean => GUARDS.some((guard) => holds(host[guard]));
export const begun = ({ hosts }: State): boolean => hosts.some(({ told }) => told);
export const over = ({ runner }: State): boolean => runner === "dead" || runner === "ended";

export const connected = (host: Host, own: Own): boolean =>
  own === "first" ? host.firstConnection : host.againConnection;
export const mailOf = (host: Host, own: Own): Message => (own === "first" ? host.firstMail : host.againMail);

export function mail(to: Host, own: Own, message: Message): void {
  if (own === "first") to.firstMail = message;
  else to.againMail = message;
}

/** The connection ends: nothing that is on it arrives any more. */
export function cutOff(to: Host, own: Own): void {
  if (own === "first") to.firstConnection = false;
  else to.againConnection = false;
  mail(to, own, "");
  if (to.via === own) to.answer = "";
}

export const wrong = (to: Host, what: Wrong): void => {
  if (!to.wrong.includes(what)) to.wrong += `${what} `;
};

/** A copy in which one host, and what is the fleet's, may be changed. */
export function changed(state: State, which: Which, change: (host: Host, to: State) => void): State {
  const host = { ...state.hosts[which] };
  const to: State = { ...state, hosts: which === 0 ? [host, state.hosts[1]] : [state.hosts[0], host] };
  change(host, to);
  forget(to, which);
  return to;
}

/** A copy in which what is the fleet's is changed. */
export function changedAll(state: State, change: (to: State) => void): State {
  const to = { ...state };
  change(to);
  forget(to);
  return to;
}
