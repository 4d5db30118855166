/** A state machine small enough to be looked at whole. */
export interface Machine<S> {
  readonly initial: S;
  /** everything that may happen next */
  next(state: S): readonly Step<S>[];
  /** two states with one key are one state */
  key(state: S): string;
}

export interface Step<S> {
  readonly label: string;
  readonly to: S;
  /** It need not happen: a fault, or the end of one. A state from which only such steps lead on is at rest. */
  readonly optional: boolean;
}

export interface Invariant<S> {
  readonly sentence: string;
  readonly at: "every state" | "rest";
  holds(state: S): boolean;
}

export interface Violation<S> {
  readonly sentence: string;
  /** one of the shortest ways there */
  readonly trace: readonly string[];
  readonly state: S;
}

export interface Explored<S> {
  readonly states: number;
  readonly transitions: number;
  /** the longest of the shortest ways to a state */
  readonly depth: number;
  readonly atRest: number;
  /** false = the limit of states was met first */
  readonly complete: boolean;
  readonly violation: Violation<S> | undefined;
}

/** Built in, as it is about all ways on from a state and not about the state. */
export const COMES_TO_REST = "whatever happened, the host comes to rest by itself";

const LIMIT = 2_000_000;

/** Breadth first, so that the trace to a violation is a shortest one. */
export function explore<S>(machine: Machine<S>, invariants: readonly Invariant<S>[]): Explored<S> {
  const graph = new Graph(machine);
  const everywhere = invariants.filter(({ at }) => at === "every state");
  const resting = invariants.filter(({ at }) => at === "rest");
  for (let at = 0; at < graph.states.length && at < LIMIT; at += 1) {
    const rests = graph.expand(at);
    const state = graph.states[at] as S;
    const broken = [...everywhere, ...(rests ? resting : [])].find((invariant) => !invariant.holds(state));
    if (broken) return graph.result(broken.sentence, at);
  }
  const restless = graph.states.length < LIMIT ? graph.restless() : undefined;
  return restless === undefined ? graph.result() : graph.result(COMES_TO_REST, restless);
}

class Graph<S> {
  readonly states: S[];
  readonly #machine: Machine<S>;
  readonly #seen: Map<string, number>;
  readonly #parent = [-1];
  readonly #label = [""];
  readonly #depth = [0];
  readonly #rest: number[] = [];
  /** steps that are not optional: from, to, from, to, ... */
  readonly #progress: number[] = [];
  #transitions = 0;

  constructor(machine: Machine<S>) {
    this.#machine = machine;
    this.states = [machine.initial];
    this.#seen = new Map([[machine.key(machine.initial), 0]]);
  }

  /** @returns whether the state is at rest */
  expand(at: number): boolean {
    let rests = true;
    for (const { label, to, optional } of this.#machine.next(this.states[at] as S)) {
      this.#transitions += 1;
      const known = this.#visit(to, at, label);
      if (optional) continue;
      rests = false;
      this.#progress.push(at, known);
    }
    if (rests) this.#rest.push(at);
    return rests;
  }

  #visit(state: S, from: number, label: string): number {
    const key = this.#machine.key(state);
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    const index = this.states.push(state) - 1;
    this.#seen.set(key, index);
    this.#parent.push(from);
    this.#label.push(label);
    this.#depth.push((this.#depth[from] as number) + 1);
    return index;
  }

  /** A state from which no way without optional steps ends at rest, found by going back from all that are. */
  restless(): number | undefined {
    const before = backwards(this.states.length, this.#progress);
    const reached = new Uint8Array(this.states.length);
    const open = [...this.#rest];
    for (const at of open) reached[at] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const from of before(at)) {
        if (reached[from]) continue;
        reached[from] = 1;
        open.push(from);
      }
    }
    const found = reached.indexOf(0);
    return found < 0 ? undefined : found;
  }

  result(sentence?: string, at = 0): Explored<S> {
    return {
      states: this.states.length,
      transitions: this.#transitions,
      depth: this.#depth.at(-1) as number,
      atRest: this.#rest.length,
      complete: this.states.length < LIMIT,
      violation: sentence === undefined ? undefined : { sentence, trace: this.#trace(at), state: this.states[at] as S },
    };
  }

  #trace(at: number): string[] {
    const labels: string[] = [];
    for (let here = at; here > 0; here = this.#parent[here] as number) labels.unshift(this.#label[here] as string);
    return labels;
  }
}

/** The steps into each state, from a flat list of (from, to). */
function backwards(size: number, edges: readonly number[]): (at: number) => Int32Array {
  const start = new Int32Array(size + 1);
  for (let i = 1; i < edges.length; i += 2)
    start[(edges[i] as number) + 1] = (start[(edges[i] as number) + 1] as number) + 1;
  for (let i = 0; i < size; i += 1) start[i + 1] = (start[i + 1] as number) + (start[i] as number);
  const free = start.slice();
  const sources = new Int32Array(edges.length / 2);
  for (let i = 0; i < edges.length; i += 2) {
    const to = edges[i + 1] as number;
    sources[free[to] as number] = edges[i] as number;
    free[to] = (free[to] as number) + 1;
  }
  return (at) => sources.subarray(start[at] as number, start[at + 1] as number);
}
