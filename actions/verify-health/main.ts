import * as core from "@actions/core";
import { proxyOf, refuseWrongProxies } from "../../src/edge/proxy";
import { signalsOf } from "../../src/edge/signals";
import type { InputSource } from "../../src/github/input-source";
import { JobLog } from "../../src/github/job-log";
import { maskOf } from "../../src/github/mask";
import { refuseRunner } from "../../src/github/runner";
import { readVerifyInputs } from "../../src/github/verify-inputs";
import { verifySecretsOf } from "../../src/github/verify-secrets";
import { systemClock } from "../../src/health/clock";
import { verify } from "../../src/health/verify";
import { report } from "./report";

/** Verifies, and tells how it ended. A thrown error is a wrong input, before any request, or a bug. */
export async function main(io: InputSource): Promise<void> {
  refuseRunner(process.platform, process.arch);
  const secrets = verifySecretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  const inputs = readVerifyInputs(io);
  for (const { url } of inputs.request.targets) proxyOf(url); // a wrong proxy is told before any request
  if (inputs.request.question.followRedirects) refuseWrongProxies();
  const mask = maskOf(secrets);
  const log = new JobLog(core, mask);
  const world = { clock: systemClock, date: Date.now, log, proxyOf, cancel: cancelled() };
  const signals = await signalsOf(inputs.aws, world, log);
  await report(await verify(inputs.request, { ...world, signals }), inputs, io, mask);
}

/** The runner sends SIGINT, then SIGTERM: at the first of them all ends, and what was seen is told. */
function cancelled(): AbortSignal {
  const cancel = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => cancel.abort(new Error(`the job was cancelled (${name})`)));
  return cancel.signal;
}
