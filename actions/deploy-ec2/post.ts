import * as core from "@actions/core";
import { safeText } from "../../src/github/hostile-text";
import type { InputSource } from "../../src/github/input-source";
import { readDeployInputs } from "../../src/github/inputs";
import { JobLog } from "../../src/github/job-log";
import { maskOf } from "../../src/github/mask";
import { secretsOf } from "../../src/github/secrets";
import { mend } from "../../src/release/mend";
import { realWorld } from "./world";

/**
 * After a main that could not finish: takes the lock of each host, by which a new guard replays what a dead one left, and
 * says what they run. Whatever goes wrong here is a warning: main has the step's colour.
 */
export async function post(io: InputSource): Promise<void> {
  const secrets = secretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  if (core.getState("settled") === "true") return;
  try {
    const inputs = readDeployInputs(io);
    const log = new JobLog(core, maskOf(secrets));
    const main = core.getState("transaction");
    await mend(inputs.request, realWorld(inputs, `post-${main}`, log, new AbortController().signal), main);
  } catch (error) {
    core.warning(`What the hosts run could not be asked: ${safeText((error as Error).message)}`);
  }
}
