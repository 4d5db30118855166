import * as core from "@actions/core";
import type { ChangeInputs } from "../github/host-inputs";
import { safeText } from "../github/hostile-text";
import type { InputSource } from "../github/input-source";
import { JobLog } from "../github/job-log";
import { type Mask, maskOf } from "../github/mask";
import { settingsToMask } from "../github/maskable";
import { refuseRunner } from "../github/runner";
import { publicText, secretsOf } from "../github/secrets";
import { systemClock } from "../health/clock";
import { mend } from "../release/mend";
import type { Outcome } from "../release/outcome";
import type { World } from "../release/world";
import { awsOnDemand } from "./aws";
import { cancelledBySignals } from "./cancel";
import { type DoorOf, shutBehindMain, throughDoor } from "./door";
import { findHosts } from "./hosts";
import { report } from "./report";
import type { AwsMeans } from "./request-from-aws";
import { newTransaction } from "./transaction";

/** What an action that changes hosts does: a new release, or one that comes back. */
export interface ChangeAction<I extends ChangeInputs, O extends Outcome> {
  /** @throws {UserError} before any host is touched */
  readonly read: (io: InputSource) => I;
  readonly run: (request: I["request"], world: World) => Promise<O>;
  /** the request with what the inputs leave to AWS. @throws {UserError} before any host is touched */
  readonly complete?: (inputs: I, means: AwsMeans) => Promise<I["request"]>;
  /** brings all hosts to the release that some of them were left on */
  readonly again: (request: I["request"], world: World, release: string) => Promise<O>;
  readonly outputs: (outcome: O) => Readonly<Record<string, string>>;
  /** what is to be proved before the commit. @throws {UserError} */
  readonly verification?: (inputs: I) => World["verification"];
}

/** Changes the hosts, and tells how it ended. A thrown error is a wrong input, before any host was touched, or a bug. */
export async function main<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  refuseRunner(process.platform, process.arch);
  const { mask, conceal } = maskingOf(io);
  const inputs = action.read(io);
  const { run } = inputs.request;
  const transaction = newTransaction(run);
  const verification = action.verification?.(inputs);
  const log = new JobLog(core, mask);
  const cancel = cancelledBySignals();
  const ask = awsOnDemand(inputs.hosts.region, log);
  const hosts = await findHosts(inputs, ask, log);
  const request = await completed(action, inputs, { ask, log, conceal });
  const world = { hosts, log, clock: systemClock, transaction, cancel, conceal, verification };
  core.saveState("transaction", transaction); // from here on `post` has something to ask the host
  const outcome = await throughDoor({ inputs, holder: transaction, url: run.url, ask, log }, () =>
    action.run(request, world),
  );
  if (outcome.settled) core.saveState("settled", "true");
  await report(outcome, action.outputs, inputs, io, mask);
}

const completed = async <I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  inputs: I,
  means: AwsMeans,
): Promise<I["request"]> => action.complete?.(inputs, means) ?? inputs.request;

/** Masks what the inputs hold of secrets. More may come: what a release was deployed with is as secret again. */
function maskingOf(io: InputSource): { readonly mask: Mask; readonly conceal: World["conceal"] } {
  const secrets: string[] = [];
  let mask = maskOf(secrets);
  const add = (more: readonly string[]) => {
    for (const secret of more) core.setSecret(secret);
    secrets.push(...more);
    mask = maskOf(secrets);
  };
  add(secretsOf(io));
  return { mask: (text) => mask(text), conceal: (texts) => add(settingsToMask(texts, publicText(io))) };
}

/**
 * After a main that could not finish: takes the lock of each host, by which a new guard replays what a dead one left, and
 * says what they run. Whatever goes wrong here is a warning: main has the step's colour.
 */
export async function post<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  const { mask, conceal } = maskingOf(io);
  const log = new JobLog(core, mask);
  const settled = core.getState("settled") === "true";
  try {
    const inputs = action.read(io);
    const ask = awsOnDemand(inputs.hosts.region, log);
    const door = { inputs, url: inputs.request.run.url, ask, log };
    try {
      if (!settled) await mendThrough(action, door, { log, conceal });
    } finally {
      await shutBehindMain(door);
    }
  } catch (error) {
    const what = settled ? "The SSH port could not be shut" : "What the hosts run could not be asked";
    core.warning(`${what}: ${safeText((error as Error).message)}`);
  }
}

async function mendThrough<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  door: Omit<DoorOf, "holder"> & { readonly inputs: I },
  { log, conceal }: Pick<World, "log" | "conceal">,
): Promise<void> {
  const { inputs, ask } = door;
  const main = core.getState("transaction");
  const transaction = `post-${main}`;
  const hosts = await findHosts(inputs, ask, log);
  // what users see was proved before the first host committed: the others have only to follow
  const means = { cancel: new AbortController().signal, conceal, verification: undefined };
  const world = { hosts, log, clock: systemClock, transaction, ...means };
  await throughDoor({ ...door, holder: transaction }, () =>
    mend(inputs.request, world, main, async (release) =>
      action.again(await completed(action, inputs, { ask, log, conceal }), world, release),
    ),
  );
}
