import type { Machine } from "../explore";
import { FAULTS, type Fault, faultsIn } from "./faults";
import { Guards } from "./guards";
import { Runner } from "./runner";
import { type Defect, HOSTS, initial, keyOf, over, type State, type Which } from "./state";

/**
 * The commit of a fleet of two hosts as a state machine, from where both hold their locks and everything but the commit
 * is done: the runner that coordinates (runner.ts), the guards of each host (guards.ts), and what may go wrong
 * (faults.ts). What one host does to its own release is in the model of one host (../model.ts): here the way back and the
 * way forward are two steps each, which may be cut between them and done again.
 *
 * A step is one that another process or a crash can come between: a message, its delivery, a line written, its fsync, the
 * rename, its fsync, half of the way back. A COMMIT that the wire delays arrives as long as its connection lives. The
 * runner comes back with new guards as often as it has to; another run's guard (post, the next deploy) comes whenever a
 * lock is free.
 *
 * Assumed: fsync keeps its word; a rename is atomic; a runner that lives and has a way to a host is back within a lease;
 * it gives a host up only after both leases. Two generals can't agree: a runner that is lost between the first COMMIT and
 * the last answer may leave the hosts on two releases, and `alone` says that it was; nothing else may.
 *
 * Not in it: locking in order, three hosts and more, a COMMIT that a full disk refuses, STUCK entries, what the next run
 * deploys, how post mends hosts that ended on two releases.
 */
export function model(bounds: Bounds): Machine<State> {
  const design = new Set(bounds.design ?? []);
  const guards = new Guards(design);
  const runner = new Runner(design);
  const kinds = bounds.kinds ?? FAULTS;
  return {
    initial: initial(bounds.faults),
    key: keyOf,
    next: (state) => {
      const on = (which: Which) => [...runner.on(state, which), ...guards.on(state, which)];
      if (state.faults > 0 || bounds.everyOrder)
        return [...runner.next(state), ...HOSTS.flatMap(on), ...faultsIn(state, kinds)];
      const atWork = guards.atWork(state);
      if (atWork.length > 0) return atWork;
      if (apart(state)) {
        const first = on(0);
        if (first.some(({ optional }) => !optional)) return first;
      }
      return [...runner.next(state), ...HOSTS.flatMap(on)];
    },
  };
}

/** Nothing that comes of one host matters to the other any more, nor to what the runner does there. */
const apart = (state: State): boolean =>
  over(state) || (state.runner === "runs" && (state.stage === "abort" || state.stage === "finish"));

export interface Bounds {
  /** how many in one history */
  readonly faults: number;
  /** which; all, when it isn't said */
  readonly kinds?: readonly Fault[];
  /** what this protocol does wrong; nothing, when it isn't said */
  readonly design?: readonly Defect[];
  /** also those orders of steps that make no difference once no fault can come any more */
  readonly everyOrder?: boolean;
}
