import { expect, test } from "@jest/globals";
import { told } from "./told";

const FAULTS = Number(process.env.MODEL_FAULTS ?? 2);

test("without faults both hosts end on one release, whichever gate fails", () => {
  expect(told("no faults", { faults: 0 }).violation).toBeUndefined();
});

test(`every invariant holds through every history with ${FAULTS} faults of five kinds`, () => {
  expect(told(`${FAULTS} faults of all kinds`, { faults: FAULTS }).violation).toBeUndefined();
}, 900_000);
