import * as core from "@actions/core";
import type { HostInputs } from "../github/host-inputs";
import { safeText } from "../github/hostile-text";
import type { InputSource } from "../github/input-source";
import { JobLog } from "../github/job-log";
import { type Mask, maskOf } from "../github/mask";
import { refuseRunner } from "../github/runner";
import { secretsOf, settingsToMask } from "../github/secrets";
import { mend } from "../release/mend";
import type { Outcome } from "../release/outcome";
import type { ChangeRequest } from "../release/request";
import type { World } from "../release/world";
import { cancelledBySignals } from "./cancel";
import { report } from "./report";
import { newTransaction, realWorld } from "./world";

/** What an action that changes hosts does: a new release, or one that comes back. */
export interface ChangeAction<I extends HostInputs & { readonly request: ChangeRequest }, O extends Outcome> {
  /** @throws {UserError} before any host is touched */
  readonly read: (io: InputSource) => I;
  readonly run: (request: I["request"], world: World) => Promise<O>;
  /** brings all hosts to the release that some of them were left on */
  readonly again: (request: I["request"], world: World, release: string) => Promise<O>;
  readonly outputs: (outcome: O) => Readonly<Record<string, string>>;
}

/** Changes the hosts, and tells how it ended. A thrown error is a wrong input, before any host was touched, or a bug. */
export async function main<I extends HostInputs & { readonly request: ChangeRequest }, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  refuseRunner(process.platform, process.arch);
  const secrets = secretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  const inputs = action.read(io);
  const mask: Mask = (text) => maskOf(secrets)(text); // more may come: what a release was deployed with is as secret again
  const transaction = newTransaction(inputs.request.run);
  const means = { log: new JobLog(core, mask), cancel: cancelledBySignals(), conceal: concealed(secrets, io) };
  const world = realWorld(inputs, transaction, means);
  core.saveState("transaction", transaction); // from here on `post` has something to ask the host
  const outcome = await action.run(inputs.request, world);
  if (outcome.settled) core.saveState("settled", "true");
  await report(outcome, action.outputs, inputs, io, mask);
}

const concealed = (secrets: string[], io: InputSource) => (texts: readonly string[]) => {
  for (const secret of settingsToMask(texts, io)) {
    core.setSecret(secret);
    secrets.push(secret);
  }
};

/**
 * After a main that could not finish: takes the lock of each host, by which a new guard replays what a dead one left, and
 * says what they run. Whatever goes wrong here is a warning: main has the step's colour.
 */
export async function post<I extends HostInputs & { readonly request: ChangeRequest }, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  const secrets = secretsOf(io);
  for (const secret of secrets) core.setSecret(secret);
  if (core.getState("settled") === "true") return;
  try {
    const inputs = action.read(io);
    const mask: Mask = (text) => maskOf(secrets)(text);
    const transaction = core.getState("transaction");
    const means = {
      log: new JobLog(core, mask),
      cancel: new AbortController().signal,
      conceal: concealed(secrets, io),
    };
    const world = realWorld(inputs, `post-${transaction}`, means);
    await mend(inputs.request, world, transaction, (release) => action.again(inputs.request, world, release));
  } catch (error) {
    core.warning(`What the hosts run could not be asked: ${safeText((error as Error).message)}`);
  }
}
