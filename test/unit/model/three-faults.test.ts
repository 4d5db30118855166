import { expect, test } from "@jest/globals";
import { told } from "./told";

// Measured on two quiet cores: 4 s.
test("every invariant holds through every history with three faults of wire, guard and power", () => {
  const kinds = ["the wire is cut", "a guard is killed", "the host loses power"] as const;
  expect(told("3 faults of wire, guard and power", { faults: 3, kinds }).violation).toBeUndefined();
}, 120_000);
