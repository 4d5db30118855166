import type { Step } from "../explore";
import {
  begun,
  changed,
  connected,
  cutOff,
  type Design,
  FINISH,
  GUARDS,
  type Guard,
  HOSTS,
  type Host,
  isLocked,
  lives,
  type Message,
  mail,
  mailOf,
  NONE,
  nameOf,
  type Own,
  over,
  type Phase,
  PREPARED,
  REVERT,
  type State,
  type Which,
  wrong,
} from "./state";

/** What the guards of both hosts do: messages, the loss of their runner, the wait for it, and the way back or forward. */
export class Guards {
  constructor(private readonly design: Design) {}

  on(state: State, which: Which): Step<State>[] {
    const steps: Step<State>[] = [];
    const host = state.hosts[which];
    for (const guard of GUARDS) {
      const may = stepper(state, which, guard, steps);
      if (guard === "other") this.#comes(host, may);
      else if (host[guard] === "queue") this.#queues(state, host, guard, may);
      else if (host[guard] === "read") this.#reads(state, host, guard, may);
      if (host[guard] === "wait") this.#waits(state, host, guard, may);
      else if (host[guard] === "yield") this.#yields(host, guard, may);
      else this.#works(state, which, guard, may);
    }
    return steps;
  }

  /** What a guard does in any case, whatever else happens meanwhile: unless a fault comes, the order makes no difference. */
  atWork(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    for (const which of HOSTS) {
      for (const guard of GUARDS) {
        if (steps.length === 0) this.#works(state, which, guard, stepper(state, which, guard, steps));
      }
    }
    return steps;
  }

  /** Post, or the next run: whenever it finds the lock free, and only a journal makes it do anything. */
  #comes(host: Host, may: May): void {
    may(!lives(host.other) && host.lines !== NONE && !isLocked(host), "takes the lock", (to) => {
      fenceDead(to);
      const waits = to.lines === PREPARED && !this.design.has("another deploy decides at once");
      to.other = waits ? "wait" : "settle";
    });
  }

  #queues(state: State, host: Host, own: Own, may: May): void {
    const free = !isLocked(host) || this.design.has("a reconnect breaks the lock");
    may(free, "takes the lock", (to) => {
      if (own === "again") cutOff(to, "first");
      if (to.lines === NONE) this.#ends(to, own);
      else if (to.lines === PREPARED && to.turn === "again") {
        to.synced = to.lines; // the line that names the new connection is fsynced
        to.torn = false;
        if (!this.design.has("a takeover trusts a rename that is not on disk")) to.currentSynced = to.current;
        to[own] = "read";
        say(to, own, to.current === "new" ? "committed" : "prepared");
      } else to[own] = "settle";
    });
    may(hungUp(state, host, own), "hears the end of its input, and leaves the queue", (to) => {
      to[own] = "gone";
    });
  }

  #reads(state: State, host: Host, own: Own, may: May): void {
    const message = mailOf(host, own);
    const open = host.wire === "up" && connected(host, own);
    may(open && message !== "", `reads ${message}`, (to) => this.#read(to, own, message));
    may(open && message !== "" && hungUp(state, host, own, true), `never gets ${message}`, (to) => mail(to, own, ""));
    const silent = host.wire === "cut" || (state.runner === "paused" && message === "");
    const lost = hungUp(state, host, own) || silent || !connected(host, own);
    may(lost, "loses its runner, and fences", (to) => {
      if (!this.design.has("nothing is fenced")) cutOff(to, own);
      to[own] = to.lines === PREPARED && !this.#hasty(to) ? "wait" : "settle";
    });
  }

  #hasty(to: Host): boolean {
    return to.current === "new" && this.design.has("it finishes as soon as its runner is lost");
  }

  #read(to: Host, own: Own, message: Message): void {
    mail(to, own, "");
    switch (message) {
      case "PREPARE":
        to.lines = PREPARED;
        to[own] = "prepare";
        if (this.design.has("prepared is said before the fsync")) say(to, own, "prepared");
        return;
      case "COMMIT":
        to.current = "new";
        to[own] = "rename";
        if (this.design.has("COMMITTED is said before the fsync")) say(to, own, "committed");
        return;
      case "REVERT":
        to.lines = REVERT;
        to[own] = "decided";
        return;
      default:
        to[own] = "settle";
    }
  }

  /** Its runner may come back with a new guard; for a lease it is the runner's to decide. */
  #waits(state: State, host: Host, guard: Guard, may: May): void {
    may(host.again === "queue" && guard !== "again", "lets go of the lock for the runner's new guard", (to) => {
      to[guard] = this.design.has("a waiting guard leaves for good") ? "gone" : "yield";
    });
    const own = guard === "other" ? undefined : guard;
    const unfenced = own && connected(host, own) && host.wire === "up" ? mailOf(host, own) : "";
    may(unfenced !== "", `reads ${unfenced} after all`, (to) => {
      wrong(to, "late");
      this.#read(to, own as Own, unfenced);
    });
    const patient = this.design.has("a prepared host without its runner waits for ever");
    may(!patient && !this.#coming(state, host), "has waited for a lease", (to, fleet) => {
      const unreached = /^(paused|dead)$/.test(state.runner) || to.wire === "cut" || to.knows === "unknown";
      if (begun(state) && unreached && state.stage !== "finish") fleet.alone = true;
      if (this.design.has("a prepared host without its runner goes forward")) to.current = "new";
      to[guard] = "settle";
    });
  }

  /** A runner that lives and has a way to the host is there within a lease. */
  #coming({ runner, stage }: State, { wire, knows }: Host): boolean {
    if (
      stage === "commit" &&
      knows === "committed" &&
      this.design.has("a committed host is not come back to before it is needed")
    )
      return false;
    return runner === "runs" && wire === "up" && /^(begun|prepared|committed)$/.test(knows);
  }

  /** The new guard may have died in the queue: nothing is left to one that didn't come. */
  #yields(host: Host, guard: Guard, may: May): void {
    may(isLocked(host) || host.lines === NONE, "finds that another has taken over", (to) => {
      to[guard] = "gone";
    });
    may(!isLocked(host) && host.lines !== NONE && host.again !== "queue", "takes the lock again: nobody came", (to) => {
      fenceDead(to); // it may have come, and have been killed since
      to[guard] = to.lines === PREPARED ? "wait" : "settle";
    });
  }

  #works(state: State, which: Which, guard: Guard, may: May): void {
    const work = this.#work(state.hosts[which][guard], which, guard);
    if (work) may(true, ...work);
  }

  /** One write, one fsync, one entry of the way back or forward. */
  #work(phase: Phase, which: Which, guard: Guard): readonly [label: string, change: Change] | undefined {
    switch (phase) {
      case "prepare":
        return ["fsyncs the line, and says that it is prepared", (to) => this.#prepared(to, guard)];
      case "rename":
        return ["fsyncs the rename, and says COMMITTED", (to) => this.#renamed(to, guard)];
      case "settle":
        return ["looks where the journal leads", (to) => this.#settle(to, guard)];
      case "decided":
        return ["fsyncs the line of its decision", (to) => this.#decided(to, guard)];
      case "point back":
        return ["renames current back", (to) => Object.assign(to, { current: "old", [guard]: "pointed" })];
      case "pointed":
        return ["fsyncs the rename back", (to) => Object.assign(to, { currentSynced: to.current, [guard]: "undo" })];
      case "undo":
        return ["undoes", (to) => this.#undo(to, guard)];
      case "retire":
        return ["retires the old release", (to, fleet) => this.#retire(to, fleet, which, guard)];
      case "close":
        return ["removes the journal", (to) => Object.assign(to, { lines: NONE, torn: false, [guard]: "unlinked" })];
      case "unlinked":
        return ["fsyncs the folder, and ends", (to) => this.#ends(to, guard)];
      default:
        return undefined;
    }
  }

  #prepared(to: Host, guard: Guard): void {
    to.synced = to.lines;
    to[guard] = "read";
    if (!this.design.has("prepared is said before the fsync")) say(to, guard, "prepared");
  }

  #renamed(to: Host, guard: Guard): void {
    to.currentSynced = to.current;
    to[guard] = this.design.has("it finishes when it is renamed") ? "settle" : "read";
    if (!this.design.has("COMMITTED is said before the fsync")) say(to, guard, "committed");
  }

  /** What is seen may be in memory alone: it is fsynced before anything is built on it. */
  #settle(to: Host, guard: Guard): void {
    if (!this.design.has("a rename seen is taken for one on disk")) to.currentSynced = to.current;
    if (!this.design.has("a line seen is taken for one on disk")) to.synced = to.lines;
    if (to.torn && this.design.has("a torn line counts")) {
      to.lines += 1;
      wrong(to, "torn");
    }
    const line = to.current === "new" ? FINISH : REVERT;
    const silent = line === FINISH ? "finishing leaves no line" : "going back leaves no line";
    if (to.lines !== PREPARED || this.design.has(silent)) this.#lead(to, guard);
    else {
      to.lines = line;
      to.torn = false;
      to[guard] = "decided";
    }
  }

  #decided(to: Host, guard: Guard): void {
    to.synced = to.lines;
    this.#lead(to, guard);
  }

  #lead(to: Host, guard: Guard): void {
    const back = to.lines === REVERT && !this.design.has("a replay looks at current alone");
    const forward = to.current === "new" && !back;
    const last = this.design.has("the way back leaves current for the end");
    if (forward) to[guard] = this.design.has("the journal goes before the old release") ? "close" : "retire";
    else to[guard] = to.current === "new" && !last ? "point back" : "undo";
  }

  #undo(to: Host, guard: Guard): void {
    if (to.undone === 2 && this.design.has("an entry that was done fails")) return;
    to.undone = Math.min(to.undone + 1, 2);
    if (to.undone === 2) to[guard] = "close";
  }

  #retire(to: Host, fleet: State, which: Which, guard: Guard): void {
    const other = fleet.hosts[which === 0 ? 1 : 0];
    const known = other.currentSynced === "new" || other.knows === "unknown" || fleet.alone;
    if (to.retired === 0 && !known) wrong(to, "early");
    if (to.lines === REVERT) wrong(to, "forward");
    to.retired = Math.min(to.retired + 1, 2);
    if (to.retired === 2) to[guard] = "close";
  }

  #ends(to: Host, guard: Guard): void {
    to.synced = NONE;
    to[guard] = "gone";
    say(to, guard, to.current === "new" ? "finished" : "back");
  }
}

type Change = (to: Host, fleet: State) => void;
type May = (possible: boolean, label: string, change: Change) => void;

const stepper =
  (state: State, which: Which, guard: Guard, steps: Step<State>[]): May =>
  (possible, label, change) => {
    if (!possible) return;
    steps.push({ label: `${named(guard, which)} ${label}`, to: changed(state, which, change), optional: false });
  };

const NAMES = { first: "guard", again: "new guard", other: "other run's guard" } as const;
const named = (guard: Guard, which: Which): string => `${nameOf(which)}'s ${NAMES[guard]}`;

/** Whoever has lost its runner talks to nobody. */
function say(to: Host, guard: Guard, answer: Host["answer"]): void {
  if (to.via === guard && connected(to, guard)) to.answer = answer;
}

/** The end of input is behind all that was sent, unless that is lost. */
const hungUp = (state: State, host: Host, own: Own, before = false): boolean =>
  host.wire === "up" && (over(state) || host.via !== own) && (before || mailOf(host, own) === "");

/** The connections that the journal names: of those who had the lock, not of the one that waits for it. */
function fenceDead(to: Host): void {
  cutOff(to, "first");
  if (to.again !== "queue") cutOff(to, "again");
}
