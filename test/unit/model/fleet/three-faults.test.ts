import { expect, test } from "@jest/globals";
import { told } from "./told";

test("every invariant holds through every history with three faults of runner and guards", () => {
  const kinds = ["the runner is killed", "the runner is paused", "a guard is killed"] as const;
  expect(told("3 faults of runner and guards", { faults: 3, kinds }).violation).toBeUndefined();
}, 120_000);
