import { type Explored, explore } from "../explore";
import { INVARIANTS } from "./invariants";
import { type Bounds, model } from "./model";
import type { State } from "./state";

/** Explores within the bounds, says how much that was, and shows the trace to what doesn't hold. */
export function told(what: string, bounds: Bounds): Explored<State> {
  const found = explore(model(bounds), INVARIANTS);
  const { states, transitions, depth, atRest, complete, violation } = found;
  console.log(
    `fleet, ${what}: ${states} states, ${transitions} transitions, ${depth} steps deep, ${atRest} at rest, ${complete ? "all of them" : "cut short"}`,
  );
  if (violation)
    console.log(
      `does not hold: ${violation.sentence}\n${violation.trace.join("\n")}\n${JSON.stringify(violation.state)}`,
    );
  if (!complete) throw new Error(`the model has more states than explore.ts looks at: ${states}`);
  return found;
}
