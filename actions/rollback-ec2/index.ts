import { type ChangeAction, main, post } from "../../src/edge/change-steps";
import { runStep } from "../../src/edge/steps";
import { rollbackOutputsOf } from "../../src/github/outputs";
import { type RollbackInputs, readRollbackInputs } from "../../src/github/rollback-inputs";
import { type RollbackOutcome, rollback } from "../../src/release/rollback";

const action: ChangeAction<RollbackInputs, RollbackOutcome> = {
  read: readRollbackInputs,
  run: rollback,
  again: (request, world, release) => rollback({ ...request, to: release }, world),
  outputs: rollbackOutputsOf,
};

runStep(
  (io) => main(action, io),
  (io) => post(action, io),
);
