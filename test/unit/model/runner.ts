import type { Step } from "./explore";
import type { Guards } from "./guard";
import { enter, land, traffic, wrong } from "./host";
import type { Program, Row } from "./program";
import { changed, type Design, lives, type State } from "./state";

/** The runner (src/release, guard.ts), its two ways to the host - to the guard and to dockerd - and the passing of time. */
export class Runner {
  constructor(
    private readonly program: Program,
    private readonly design: Design,
    private readonly guards: Guards,
  ) {}

  next(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    const may: May = (possible, label, change, optional = false) => {
      if (possible) steps.push({ label, to: changed(state, change), optional });
    };
    this.#runs(state, may);
    this.#guardsChannel(state, may);
    this.#dockersChannel(state, may);
    this.#time(state, may);
    return steps;
  }

  #runs(state: State, may: May): void {
    may(state.runner === "paused", "the runner goes on", (to) => this.#wake(to), PERHAPS);
    if (state.runner !== "runs") return;
    const row = this.program.rows[state.sent];
    if (row && this.#maySend(state, row))
      may(true, `the runner sends: ${nameOf(row, this.program)}`, (to) => this.#send(to, row));
    may(this.#mayGiveUp(state), "a gate fails: the runner sends ABORT", (to) => {
      to.abort = "sent";
    });
    const reached = state.wire === "up" && state.connection;
    may(reached && state.acked < state.answered, "the runner gets an answer", (to) => {
      to.acked = to.answered;
    });
    may(reached && state.said !== "nothing" && !lives(state.first), "the runner learns how it ended", (to) => {
      to.runner = "ended";
    });
    const silent = !state.connection || !lives(state.first);
    may(silent && state.wire === "up" && state.said === "nothing", "the runner learns that its guard is gone", lose);
    may(!state.fresh && state.said === "nothing", "the runner gives its silent guard up", lose);
  }

  /** It waits for the answers to all that it sent, sees its candidate's end, and looks at its lease. */
  #maySend(state: State, row: Row): boolean {
    if ("finish" in row) return state.connection;
    const answered = state.acked === state.sent || ("pipelined" in row && row.pipelined);
    const ended = state.acked > this.#startRow && state.candidate !== "running";
    if (!answered || ended || state.failed || state.abort !== "no" || !state.connection) return false;
    if ("look" in row) return traffic(state).join() === "candidate";
    return state.fresh || this.design.has("the runner doesn't look at its lease");
  }

  get #startRow(): number {
    return this.program.rows.findIndex((row) => "call" in row && row.call === "start candidate");
  }

  #send(to: State, row: Row): void {
    to.sent += 1;
    if ("look" in row) {
      to.acked = to.sent;
      to.answered = to.sent;
      return;
    }
    if (!to.fresh && !("finish" in row)) wrong(to, "stale");
    if ("call" in row) to.call = "wire";
  }

  /** A living runner aborts when nothing of its own is under way; a failed call to Docker may be, in dockerd's hands. */
  #mayGiveUp(state: State): boolean {
    const begun = state.acked > 0 && state.acked < this.program.rows.length - 1;
    const quiet = state.acked === state.sent || (state.failed && state.call !== "wire");
    return begun && quiet && state.fresh && state.abort === "no" && state.connection;
  }

  #wake(to: State): void {
    to.runner = "runs";
    if (to.wire === "up" && to.connection && to.first === "idle") to.fresh = true;
  }

  #guardsChannel(state: State, may: May): void {
    const open = state.wire === "up" && state.connection;
    const message = this.#message(state);
    const reads = state.first === "idle";
    if (open && reads && typeof message === "number") {
      const row = this.program.rows[message] as Row;
      may(true, `the guard reads: ${nameOf(row, this.program)}`, (to) => this.guards.read(to, message));
    }
    may(open && reads && message === "ABORT", "the guard reads: ABORT", (to) => this.guards.abort(to));
    const closed = state.runner === "dead" || state.runner === "lost" || state.runner === "ended";
    may(
      open && closed && message !== undefined && lives(state.first),
      "what was on the wire to the guard is lost",
      (to) => {
        to.read = this.program.rows.length;
        if (to.abort === "sent") to.abort = "no";
      },
    );
    may(open && closed && reads && message === undefined, "the guard reads the end of its input", (to) => {
      to.ending = "end of input";
      enter(to, "first", "fence");
    });
    may(open && closed && !lives(state.first), "sshd notices the end of the connection", (to) => {
      to.connection = false;
      if (to.call === "wire") to.call = "none";
    });
  }

  /** The next that the guard's input holds, in the order in which it was sent. */
  #message(state: State): number | "ABORT" | undefined {
    for (let at = state.read; at < state.sent; at += 1) if (this.program.rows[at]?.to === "guard") return at;
    return state.abort === "sent" ? "ABORT" : undefined;
  }

  #dockersChannel(state: State, may: May): void {
    const at = state.sent - 1;
    const row = this.program.rows[at];
    if (!row || !("call" in row)) return;
    const arrives = state.call === "wire" && state.wire === "up" && state.connection;
    may(arrives && state.dockerd === "up", `dockerd takes in hand: ${row.call}`, (to) => {
      to.call = "hand";
    });
    may(arrives && state.dockerd === "down", `dockerd is down for: ${row.call}`, (to) => {
      to.call = "none";
      to.failed = true;
    });
    may(state.call === "hand", `dockerd does: ${row.call}`, (to) => {
      to.call = "none";
      if (land(to, row.call, this.program) && !to.failed) to.answered = at + 1;
      else to.failed = true;
    });
  }

  /** Half a lease before a lease: the guard's last message is never older than the runner's last answer. */
  #time(state: State, may: May): void {
    const asleep = state.runner === "paused" || state.runner === "dead";
    const silence = asleep || state.wire === "cut" || !lives(state.first);
    may(silence && state.fresh, "half a lease passes in silence", (to) => {
      to.fresh = false;
    });
    const unheard = state.wire === "cut" || (state.runner === "paused" && this.#message(state) === undefined);
    const leased = !this.design.has("there is no lease");
    may(leased && state.first === "idle" && unheard && !state.fresh, "the guard's lease runs out", (to) => {
      to.ending = this.design.has("read's own status is lost") ? "end of input" : "lease";
      if (to.ending !== "lease") wrong(to, "misnamed");
      enter(to, "first", "fence");
    });
    may(
      state.wire === "cut",
      "the wire is mended",
      (to) => {
        to.wire = "up";
        if (to.runner === "runs" && to.connection && to.first === "idle") to.fresh = true;
      },
      PERHAPS,
    );
    may(state.dockerd === "down", "dockerd comes back", (to) => {
      to.dockerd = "up";
    });
  }
}

/** Marks what need not happen: nobody may count on it. */
const PERHAPS = true;

type May = (possible: boolean, label: string, change: (to: State) => void, optional?: boolean) => void;

function lose(to: State): void {
  to.runner = "lost";
}

function nameOf(row: Row, program: Program): string {
  if ("line" in row) {
    const line = program.lines[row.line];
    return `${line?.kind.toUpperCase()} ${line?.entry}`;
  }
  if ("deed" in row) return `DO ${row.deed}`;
  if ("call" in row) return row.call;
  if ("look" in row) return row.look;
  return "commit" in row ? "COMMIT" : "FINISH";
}
