import * as core from "@actions/core";
import { safeText } from "../../src/github/hostile-text";
import type { InputSource } from "../../src/github/input-source";
import { readDeployInputs } from "../../src/github/inputs";
import { JobLog } from "../../src/github/job-log";
import { maskOf } from "../../src/github/mask";
import { secretsOf } from "../../src/github/secrets";
import { askWhatServes } from "../../src/release/truth";
import { realWorld } from "./world";

/**
 * After a main that could not finish: takes the lock, by which a new guard replays what a dead one left, and says what
 * the host runs. It believes nothing but the host. Whatever goes wrong here is a warning: main has the step's colour.
 */
export async function post(io: InputSource): Promise<void> {
  const secrets = secretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  if (core.getState("settled") === "true") return;
  try {
    const inputs = readDeployInputs(io);
    const { app } = inputs.request;
    const log = new JobLog(core, maskOf(secrets));
    const name = `post-${core.getState("transaction")}`;
    const world = realWorld(inputs, name, log, new AbortController().signal);
    log.info(`The deploy did not get to its end. Asking ${world.hostName} what it runs ...`);
    const truth = await askWhatServes(inputs.request, world);
    if (!truth)
      log.warning(`${world.hostName} was not reached. Its guard settles by itself once its lease has run out.`);
    else if (truth.serving)
      log.info(`${world.hostName} runs ${truth.serving.release} (${truth.serving.digest}) of "${app}".`);
    else log.info(`${world.hostName} runs no release of "${app}".`);
  } catch (error) {
    core.warning(`What the host runs could not be asked: ${safeText((error as Error).message)}`);
  }
}
