import * as core from "@actions/core";
import type { InputSource } from "../../src/github/input-source";
import { type DeployInputs, readDeployInputs } from "../../src/github/inputs";
import { JobLog } from "../../src/github/job-log";
import { maskOf } from "../../src/github/mask";
import { refuseRunner } from "../../src/github/runner";
import { secretsOf } from "../../src/github/secrets";
import { deploy } from "../../src/release/deploy";
import { Cancelled } from "../../src/release/failure";
import { report } from "./report";
import { newTransaction, realWorld } from "./world";

/** Deploys, and tells how it ended. A thrown error is a wrong input, before any host was touched, or a bug. */
export async function main(io: InputSource): Promise<void> {
  refuseRunner(process.platform, process.arch);
  const secrets = secretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  const inputs: DeployInputs = readDeployInputs(io);
  const mask = maskOf(secrets);
  const transaction = newTransaction(inputs);
  const cancel = cancelledBySignals();
  const world = realWorld(inputs, transaction, new JobLog(core, mask), cancel);
  core.saveState("transaction", transaction); // from here on `post` has something to ask the host
  const outcome = await deploy(inputs.request, world);
  if (outcome.settled) core.saveState("settled", "true");
  await report(outcome, inputs, io, mask);
}

/** The runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that: at the second, the guard is left to it. */
function cancelledBySignals(): AbortSignal {
  const cancel = new AbortController();
  process.on("SIGINT", () => cancel.abort(new Cancelled("SIGINT")));
  process.on("SIGTERM", () => {
    if (!cancel.signal.aborted) cancel.abort(new Cancelled("SIGTERM"));
    else {
      core.setFailed(
        "The job was cancelled before the deploy could say how it ended. The host settles by itself; the post step says what it runs.",
      );
      process.exit(1);
    }
  });
  return cancel.signal;
}
