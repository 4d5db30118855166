import { alarmsOf } from "../../src/edge/alarms";
import { type ChangeAction, main, post } from "../../src/edge/change-steps";
import { requestFromAws } from "../../src/edge/request-from-aws";
import { runStep } from "../../src/edge/steps";
import { verificationOf } from "../../src/edge/verification";
import { verifiedOutputsOf } from "../../src/github/outputs";
import { readVerifiedDeployInputs, type VerifiedDeployInputs } from "../../src/github/verification-inputs";
import { deploy, follow } from "../../src/release/deploy";
import type { Outcome } from "../../src/release/outcome";

// Each name that is looked for takes a thread; Node has 4 unless it is told before the first is needed.
process.env.UV_THREADPOOL_SIZE ??= "64";

const action: ChangeAction<VerifiedDeployInputs, Outcome> = {
  read: readVerifiedDeployInputs,
  complete: requestFromAws,
  alarms: alarmsOf,
  run: deploy,
  again: follow,
  outputs: verifiedOutputsOf,
  verification: ({ verification }) => verification && verificationOf(verification),
};

runStep(
  (io) => main(action, io),
  (io) => post(action, io),
);
