import { type ChangeAction, main, post } from "../../src/edge/change-steps";
import { runStep } from "../../src/edge/steps";
import { type DeployInputs, readDeployInputs } from "../../src/github/inputs";
import { outputsOf } from "../../src/github/outputs";
import { deploy } from "../../src/release/deploy";
import type { Outcome } from "../../src/release/outcome";

const action: ChangeAction<DeployInputs, Outcome> = {
  read: readDeployInputs,
  run: deploy,
  again: deploy,
  outputs: outputsOf,
};

runStep(
  (io) => main(action, io),
  (io) => post(action, io),
);
