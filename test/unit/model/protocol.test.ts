import { expect, test } from "@jest/globals";
import { told } from "./told";

// Measured on two quiet cores: 3 s with two faults. MODEL_FAULTS=3 looks at every history with three faults (15 s).
const FAULTS = Number(process.env.MODEL_FAULTS ?? 2);
const PATIENCE = 120_000;

test("a deploy without faults ends on one committed release, whichever gate fails", () => {
  expect(told("no faults", { faults: 0 }).violation).toBeUndefined();
});

test(
  `every invariant holds through every history with ${FAULTS} faults of ten kinds`,
  () => {
    expect(told(`${FAULTS} faults of all kinds`, { faults: FAULTS }).violation).toBeUndefined();
  },
  PATIENCE,
);

test(
  `every invariant holds for a release that comes back, through every history with ${FAULTS} faults of ten kinds`,
  () => {
    expect(told(`a rollback, ${FAULTS} faults`, { faults: FAULTS, design: ["rollback"] }).violation).toBeUndefined();
  },
  PATIENCE,
);

test("every invariant holds while two releases share the traffic, through every history with 1 fault of ten kinds", () => {
  expect(told("in steps, 1 fault of all kinds", { faults: 1, design: ["in steps"] }).violation).toBeUndefined();
});

test("a failed candidate that is kept for a look is stopped, whichever fault comes", () => {
  expect(told("keep-failed, 1 fault of all kinds", { faults: 1, design: ["keep-failed"] }).violation).toBeUndefined();
});
