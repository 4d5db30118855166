import type { Step } from "./explore";
import {
  candidateIsOut,
  enter,
  land,
  looksFirst,
  perform,
  phaseOf,
  placeOf,
  serveCommitted,
  staysStopped,
  tellsProxy,
  wrong,
} from "./host";
import type { Line, Mutation, Program, Row } from "./program";
import { changed, type Design, GUARDS, type Guard, lives, type Phase, type State } from "./state";

/** Marks a guard that tries again after it gave an entry up. */
const AFTER_STUCK = 1;

/** What a guard does by itself (guard.sh): the end of a message begun, the fence, the way back, the way forward. */
export class Guards {
  constructor(
    private readonly program: Program,
    private readonly design: Design,
  ) {}

  next(state: State): Step<State>[] {
    return [...GUARDS.flatMap((guard) => this.#steps(state, guard)), ...this.#orphan(state), ...this.#takeLock(state)];
  }

  /** The kernel's: held as long as a process has its descriptor, and that of a deed's child is one. */
  lockIsFree(state: State): boolean {
    if (state.orphan >= 0 && !this.design.has("a deed's child frees the lock")) return false;
    if (this.design.has("a child keeps the lock") && state.first === "dead" && state.landed > 0) return false;
    const broken = this.design.has("a silent holder's lock is broken") && !state.fresh;
    return !lives(state.next) && (!lives(state.first) || broken);
  }

  /** A message of the runner is read. */
  read(state: State, at: number): void {
    const row = this.program.rows[at] as Row;
    state.read = at + 1;
    if ("line" in row) {
      state.lines = row.line + 1;
      enter(state, "first", "append", at);
      if (this.design.has("the answer goes before the fsync")) state.answered = at + 1;
    } else if ("deed" in row) enter(state, "first", "deed", at);
    else if ("finish" in row) enter(state, "first", "serve");
    else if (this.design.has("the old one is retired before the rename"))
      this.#walk(state, "first", "retiring early", 1);
    else this.#rename(state);
  }

  #rename(state: State): void {
    state.current = "candidate";
    if (this.design.has("COMMITTED is said before the fsync")) state.said = "COMMITTED";
    enter(state, "first", "renamed");
  }

  /** ABORT: the runner lives and has nothing under way, so its connection may stay. */
  abort(state: State): void {
    state.abort = "read";
    enter(state, "first", "settle");
  }

  #steps(state: State, guard: Guard): Step<State>[] {
    const step = (label: string, change: Change) => [
      {
        label: `${guard === "first" ? "the guard" : "a later guard"} ${label}`,
        to: changed(state, change),
        optional: false,
      },
    ];
    switch (phaseOf(state, guard)) {
      case "append":
        return step("fsyncs the line and answers", (to) => {
          to.synced = to.lines;
          to.answered = Math.max(to.answered, placeOf(state, guard) + 1);
          enter(to, guard, "idle");
        });
      case "deed":
        return this.#deed(state, step);
      case "retiring early":
      case "undo":
      case "finish":
        return this.#entry(state, guard, step);
      case "renamed":
        return step("fsyncs the rename and says COMMITTED", (to) => {
          to.currentSynced = to.current;
          to.said = "COMMITTED";
          to.answered = this.program.rows.length - 1;
          enter(to, guard, "idle");
        });
      case "fence":
        return step("fences", (to) => this.#fence(to, guard));
      case "settle":
        return step("looks where the journal leads", (to) => this.#settle(to, guard));
      case "serve":
        return this.#serve(state, guard, step);
      case "close":
        return step("removes the journal", (to) => {
          to.lines = -1;
          to.torn = false;
          const early = this.design.has("the journal is cleared first");
          if (early && placeOf(state, guard) > 0) this.#walk(to, guard, "undo", placeOf(state, guard));
          else enter(to, guard, "unlinked");
        });
      case "unlinked":
        return step("fsyncs the folder and leaves", (to) => {
          to.synced = -1;
          to.currentSynced = to.current; // it is the same folder
          if (guard === "first" && to.abort === "read" && to.said === "nothing") to.said = "ABORTED";
          enter(to, guard, "gone");
        });
      case "stuck":
        return step("has to stop its own runner's deploy, and tries again", (to) => this.#again(to, guard));
      default:
        return [];
    }
  }

  #deed(state: State, step: Stepper): Step<State>[] {
    const at = state.firstAt;
    const row = this.program.rows[at] as Extract<Row, { deed: unknown }>;
    if (this.#fails(state, row.deed)) {
      return step(`can't ${row.deed}: FAIL`, (to) => {
        to.failed = true;
        enter(to, "first", "idle");
      });
    }
    return step(`does: ${row.deed}`, (to) => {
      land(to, row.deed, this.program);
      to.answered = at + 1;
      enter(to, "first", "idle");
    });
  }

  /** All but files needs dockerd, and traffic goes only to a slot that leads somewhere. */
  #fails(state: State, deed: Mutation): boolean {
    if (deed === "write release") return false;
    const leads = state.greenFilled && state.candidate === "running";
    const blind = this.design.has("a shift trusts an earlier fill");
    return state.dockerd === "down" || (/^(share|shift) /.test(deed) && !leads && !blind);
  }

  #fence(to: State, guard: Guard): void {
    const reached =
      !this.design.has("nothing is fenced") &&
      !(this.design.has("only the end of input is fenced") && to.ending === "lease" && guard === "first") &&
      !(this.design.has("a replay fences nothing") && guard === "next");
    if (reached) {
      to.connection = false;
      if (to.call === "wire") to.call = "none";
    }
    enter(to, guard, "settle");
  }

  #settle(to: State, guard: Guard): void {
    const committed = to.current === "candidate";
    const afterAbort = guard === "next" && placeOf(to, guard) === AFTER_STUCK;
    const blind =
      (this.design.has("a replay doesn't look at current") && guard === "next") ||
      (this.design.has("ABORT takes back what is committed") && afterAbort);
    const last = to.lines - 1 + (to.torn && this.design.has("a torn line counts") ? 1 : 0);
    if (committed && !blind) {
      if (!this.design.has("a replay trusts a rename that is not on disk")) to.currentSynced = to.current;
      enter(to, guard, "serve");
    } else if (to.lines < 1) enter(to, guard, "close");
    else if (this.design.has("the journal is cleared first")) enter(to, guard, "close", last);
    else this.#walk(to, guard, "undo", this.design.has("undo goes forward") ? 1 : last);
  }

  #again(to: State, guard: Guard): void {
    if (this.design.has("a stuck journal loses its owner")) to.owner = false;
    enter(to, guard, "settle", AFTER_STUCK);
  }

  /** Before anything of the old release ends, all traffic goes to the new one. */
  #serve(state: State, guard: Guard, step: Stepper): Step<State>[] {
    const skips =
      this.design.has("retiring leaves the proxy as it is") ||
      (state.dockerd === "down" && this.design.has("a silent dockerd is a stopped proxy"));
    if (state.dockerd === "down" && !skips) return [];
    return step("makes sure that the proxy serves what is committed", (to) => {
      if (!skips) serveCommitted(to);
      this.#walk(to, guard, "finish", 1);
    });
  }

  /** An entry of the way back or forward; those that need dockerd wait for it. */
  #entry(state: State, guard: Guard, step: Stepper): Step<State>[] {
    const at = placeOf(state, guard);
    const line = this.program.lines[at] as Line;
    const label = `${line.kind === "undo" ? "undoes" : "finishes"}: ${line.entry}`;
    const done = (to: State) => {
      this.#perform(to, line, at);
      this.#onward(to, guard, at);
    };
    if (state.dockerd === "down") return this.#without(state, guard, line, step);
    if (state.looks < 0) {
      return step(`takes it for gone: ${line.entry}`, (to) => {
        to.looks = 0;
        this.#onward(to, guard, at);
      });
    }
    return /^(remove|rest) candidate$/.test(line.entry)
      ? this.#remove(state, guard, label, done, step)
      : step(label, done);
  }

  /** Gone, and found gone again: by the second look, dockerd has done what it still had in hand. */
  #remove(state: State, guard: Guard, label: string, done: Change, step: Stepper): Step<State>[] {
    if (this.#looksOnce(state, guard)) return step(label, done);
    if (state.candidate === "none" && this.design.has("an entry fails where there is nothing left to do"))
      return step(`fails and tries again: ${label}`, () => {});
    if (state.looks === 0) return step(`${label}, first look`, (to) => this.#look(to));
    if (state.call === "hand") return [];
    if (!candidateIsOut(state, this.design)) return step(`${label}, again`, (to) => this.#look(to));
    return step(`${label}, second look`, (to) => {
      to.looks = 0;
      done(to);
    });
  }

  #looksOnce(state: State, guard: Guard): boolean {
    const unfenced = guard === "first" && state.ending === "none";
    const { design } = this;
    return (
      design.has("undo looks once") ||
      (staysStopped(design) && design.has("keep looks once")) ||
      (unfenced && design.has("ABORT looks once"))
    );
  }

  #look(to: State): void {
    perform(to, "remove candidate", this.design);
    to.looks = 1;
  }

  #without(state: State, guard: Guard, line: Line, step: Stepper): Step<State>[] {
    const { design } = this;
    if (tellsProxy(line.entry) && design.has("a silent dockerd is a stopped proxy"))
      return step(`takes the proxy for stopped: ${line.entry}`, (to) => this.#onward(to, guard, placeOf(state, guard)));
    if (looksFirst(line.entry) && design.has("a silent dockerd has no containers") && state.looks === 0)
      return step(`asks in vain: ${line.entry}`, (to) => {
        to.looks = -1;
      });
    return [];
  }

  #perform(to: State, line: Line, at: number): void {
    if (to.torn && at >= to.lines && to.lines >= 0) wrong(to, "torn");
    if (line.kind === "undo") to.undone = Math.min(to.undone, at);
    if (line.kind === "undo" && to.current === "candidate") wrong(to, "back");
    perform(to, line.entry, this.design);
  }

  #onward(to: State, guard: Guard, at: number): void {
    const phase = phaseOf(to, guard);
    this.#walk(to, guard, phase, phase === "undo" && !this.design.has("undo goes forward") ? at - 1 : at + 1);
  }

  /** To the next entry of this way, from line `at` on. */
  #walk(to: State, guard: Guard, phase: Phase, at: number): void {
    const kind = phase === "undo" ? "undo" : "retire";
    const forward = phase !== "undo" || this.design.has("undo goes forward");
    const end = phase === "undo" && forward ? to.lines : this.program.lines.length;
    let place = at;
    while (place >= 1 && place < end && this.program.lines[place]?.kind !== kind) place += forward ? 1 : -1;
    enter(to, guard, phase, place);
    if (place < 1 || place >= end) this.#through(to, guard);
  }

  #through(to: State, guard: Guard): void {
    if (phaseOf(to, guard) === "retiring early") this.#rename(to);
    else enter(to, guard, this.design.has("the journal is cleared first") && to.lines < 0 ? "unlinked" : "close");
  }

  /** The child of a guard that was killed in the middle of a deed goes on with it, and holds the lock until it is done. */
  #orphan(state: State): Step<State>[] {
    const row = this.program.rows[state.orphan];
    if (!row || !("deed" in row)) return [];
    const to = changed(state, (end) => {
      end.orphan = -1;
      if (!this.#fails(state, row.deed)) land(end, row.deed, this.program);
    });
    return [{ label: `the dead guard's child does: ${row.deed}`, to, optional: false }];
  }

  #takeLock(state: State): Step<State>[] {
    if (state.lines < 0 || !this.lockIsFree(state)) return [];
    const to = changed(state, (taken) => {
      taken.looks = 0;
      enter(taken, "next", "fence");
    });
    return [{ label: "a later guard takes the lock", to, optional: false }];
  }
}

type Change = (to: State) => void;
type Stepper = (label: string, change: Change) => Step<State>[];
