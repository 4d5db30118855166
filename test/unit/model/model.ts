import type { Machine } from "./explore";
import { FAULTS, type Fault, faultsIn } from "./faults";
import { Guards } from "./guard";
import { programOf } from "./program";
import { Runner } from "./runner";
import { type Defect, initial, keyOf, type State } from "./state";

/**
 * One host with a live release in blue, and one deploy of a candidate to green, as a state machine: what the runner
 * sends (program.ts), the two ways that it takes (runner.ts), the guard and those that come after it (guard.ts), the
 * host (host.ts), and what may go wrong (faults.ts). Every order of sending, delivery, answer, fsync, entry, fence,
 * lease and fault is a path through it; a gate may fail at any point.
 *
 * A step is one that another process or a crash can come between: a message, a line written, its fsync, a deed, an
 * entry, the rename, its fsync. The two ways are independent: what goes to dockerd may arrive after the end of the
 * guard's input. What dockerd has in hand survives the fence, and is done before the second look of an undo; that is
 * an assumption about its speed (guard.sh waits 0.3 s between the looks).
 *
 * Assumed, too: fsync keeps its word; a rename is atomic; a lease is longer than half of it on any clock; what the
 * guard tells the proxy is one step; the runner sees its candidate's end before an answer that the guard gave later.
 *
 * Not in it: the first deploy (no live release), pre-deploy, changed proxy settings (`config`, `apply`), the history
 * line, pruning, recreate, fleets; a docker command that outlives a guard killed in the middle of an entry (it does
 * what its replay does); candidates that exit by themselves; which requests fail; anything below the kernel.
 */
export function model(bounds: Bounds): Machine<State> {
  const design = new Set(bounds.design ?? []);
  const program = programOf(design);
  const guards = new Guards(program, design);
  const runner = new Runner(program, design, guards);
  const kinds = bounds.kinds ?? FAULTS;
  return {
    initial: design.has("rollback") ? kept(initial(bounds.faults)) : initial(bounds.faults),
    key: keyOf,
    next: (state) => [...runner.next(state), ...guards.next(state), ...faultsIn(state, kinds)],
  };
}

/** The candidate of a rollback is there already. */
const kept = (state: State): State => ({ ...state, candidate: "stopped", folder: true });

export interface Bounds {
  /** how many in one history */
  readonly faults: number;
  /** which; all, when it isn't said */
  readonly kinds?: readonly Fault[];
  /** what this design does wrong; nothing, when it isn't said */
  readonly design?: readonly Defect[];
}
