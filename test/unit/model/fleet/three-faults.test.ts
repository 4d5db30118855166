import { expect, test } from "@jest/globals";
import type { Fault } from "./faults";
import { told } from "./told";

// Looked at by hand, too, with more states than explore.ts allows: the runner is paused, a guard is killed (4 million).
const PAIRS: readonly (readonly [Fault, Fault])[] = [
  ["the runner is killed", "a guard is killed"],
  ["the runner is killed", "a host loses power"],
];

test.each(PAIRS)(
  "every invariant holds through every history with three faults: %s, %s",
  (...kinds) => {
    expect(told(`3 faults, ${kinds.join(", ")}`, { faults: 3, kinds }).violation).toBeUndefined();
  },
  120_000,
);
