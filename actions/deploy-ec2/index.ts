import { alarmsOf } from "../../src/edge/alarms";
import { type ChangeAction, main, post } from "../../src/edge/change-steps";
import { requestFromAws } from "../../src/edge/request-from-aws";
import { runStep } from "../../src/edge/steps";
import { type DeployInputs, readDeployInputs } from "../../src/github/inputs";
import { outputsOf } from "../../src/github/outputs";
import { deploy, follow } from "../../src/release/deploy";
import type { Outcome } from "../../src/release/outcome";

const action: ChangeAction<DeployInputs, Outcome> = {
  read: readDeployInputs,
  complete: requestFromAws,
  alarms: alarmsOf,
  run: deploy,
  again: follow,
  outputs: outputsOf,
};

runStep(
  (io) => main(action, io),
  (io) => post(action, io),
);
