import { expect, test } from "@jest/globals";
import { told } from "./told";

// Measured on two busy cores: 12 s with two faults.
const FAULTS = Number(process.env.MODEL_FAULTS ?? 2);
const PATIENCE = 120_000;

test("without faults both hosts end on one release, whichever gate fails", () => {
  expect(told("no faults", { faults: 0 }).violation).toBeUndefined();
});

test("the orders that are left out make no difference", () => {
  const some = told("1 fault of all kinds", { faults: 1 });
  const every = told("1 fault of all kinds, in every order", { faults: 1, everyOrder: true });
  expect(every.violation).toBeUndefined();
  expect(some.atRest).toBe(every.atRest);
});

test(
  `every invariant holds through every history with ${FAULTS} faults of five kinds`,
  () => {
    expect(told(`${FAULTS} faults of all kinds`, { faults: FAULTS }).violation).toBeUndefined();
  },
  PATIENCE,
);
