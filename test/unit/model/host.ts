import type { Entry, Mutation, Program } from "./program";
import type { Design, Guard, Phase, Release, State, Wrong } from "./state";

/** What entries, mutations and restarts do to a host. All of it changes the state that it is given: a copy. */

export const wrong = (state: State, what: Wrong): void => {
  if (!state.wrong.includes(what)) state.wrong += `${what} `;
};

export function enter(state: State, guard: Guard, phase: Phase, at = 0): void {
  if (guard === "first") {
    state.first = phase;
    state.firstAt = at;
  } else {
    state.next = phase;
    state.nextAt = at;
  }
}

export const phaseOf = (state: State, guard: Guard): Phase => (guard === "first" ? state.first : state.next);
export const placeOf = (state: State, guard: Guard): number => (guard === "first" ? state.firstAt : state.nextAt);

/** The releases whose containers a request may reach now; `nobody` stands for a slot that leads nowhere. */
export function traffic(state: State): (Release | "nobody")[] {
  const to: (Release | "nobody")[] = [];
  if (state.blue === "ready") to.push(state.blueFilled && state.old === "running" ? "old" : "nobody");
  if (state.green === "ready") to.push(state.greenFilled && state.candidate === "running" ? "candidate" : "nobody");
  return to.length > 0 ? to : ["nobody"];
}

/** The proxy starts, or is reloaded: it knows what `current` says, and nothing of what it was told. */
export function startProxy(state: State): void {
  const old = state.current === "old";
  state.blue = old ? "ready" : "maint";
  state.blueFilled = old;
  state.green = old ? "maint" : "ready";
  state.greenFilled = !old;
}

/** A proxy that restarted between the shift and the rename still serves the old release: it loads `current` anew. */
export function serveCommitted(state: State): void {
  if (state.current === "candidate" && (state.green !== "ready" || !state.greenFilled)) startProxy(state);
}

/** Docker's restart policies, after a reboot or a restart of dockerd that ends containers. */
export function startContainers(state: State): void {
  state.old = state.oldAlways ? "running" : "stopped";
  if (state.candidate !== "none") state.candidate = state.candidateAlways ? "running" : "stopped";
  startProxy(state);
}

/** A mutation that a runner asked for is done. */
export function land(state: State, mutation: Mutation, program: Program): boolean {
  const undo = program.undoOf[mutation];
  if (!mutate(state, mutation)) return false;
  if (undo >= 0 && state.undone <= undo) wrong(state, "late");
  else if (undo >= state.synced) wrong(state, "early");
  state.landed = Math.max(state.landed, undo);
  return true;
}

function mutate(state: State, mutation: Mutation): boolean {
  switch (mutation) {
    case "create candidate":
      state.candidate = "stopped";
      return true;
    case "start candidate":
      if (state.candidate === "none") return false;
      state.candidate = "running";
      return true;
    case "write release":
      state.folder = true;
      return true;
    case "fill green":
      state.green = "drain";
      state.greenFilled = true;
      return true;
    case "share with green":
      state.green = "ready";
      return true;
    case "shift to green":
      state.green = "ready";
      state.blue = "drain";
      return true;
    case "policy candidate always":
      state.candidateAlways = state.candidate !== "none";
      return true;
  }
}

/** One entry of the journal, done whole. Twice is as good as once. */
export function perform(state: State, entry: Entry, design: Design): void {
  switch (entry) {
    case "begin":
      return;
    case "forget candidate":
      if (state.current !== "candidate" || design.has("forget takes what is committed")) state.folder = false;
      return;
    case "remove candidate":
    case "rest candidate":
      removeCandidate(state, design);
      return;
    case "vacate green":
      state.green = "maint";
      return;
    case "ready blue":
      if (design.has("the way back swaps the slots")) [state.blue, state.green] = [state.green, state.blue];
      else state.blue = "ready";
      return;
    case "policy candidate no":
    case "policy candidate always":
      state.candidateAlways = entry === "policy candidate always" && state.candidate !== "none";
      return;
    case "policy old no":
      state.oldAlways = false;
      return;
    case "vacate blue":
      state.blue = "maint";
      return;
    case "stop old":
      state.old = "stopped";
      return;
  }
}

function removeCandidate(state: State, design: Design): void {
  if (!isFound(state, design) || state.candidate === "none") return;
  if (staysStopped(design)) {
    state.candidate = "stopped";
    return;
  }
  state.candidate = "none";
  state.candidateAlways = false;
}

/** What `remove` (or `keep`, or `rest`) looks for before an undo counts as done. */
export const candidateIsOut = (state: State, design: Design): boolean =>
  !isFound(state, design) || (staysStopped(design) ? state.candidate !== "running" : state.candidate === "none");

/** By the label of its transaction; a release that was there before bears that of an older one. */
const isFound = (state: State, design: Design): boolean => state.owner || design.has("rollback");

export const staysStopped = (design: Design): boolean => design.has("keep-failed") || design.has("rollback");

/** Entries that are told to the proxy, and those that change a container's policy or stop it. */
export const tellsProxy = (entry: Entry): boolean => /^(ready|vacate) /.test(entry);
export const looksFirst = (entry: Entry): boolean => /^(policy|stop) /.test(entry);
