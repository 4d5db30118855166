import * as core from "@actions/core";
import type { ChangeInputs } from "../github/host-inputs";
import { safeText } from "../github/hostile-text";
import type { InputSource } from "../github/input-source";
import { JobLog } from "../github/job-log";
import { type Mask, maskOf } from "../github/mask";
import { settingsToMask } from "../github/maskable";
import { refuseRunner } from "../github/runner";
import { publicText, secretsOf } from "../github/secrets";
import { unlessAborted } from "../health/attempt";
import { systemClock } from "../health/clock";
import { Cancelled, GateError } from "../release/failure";
import { mend } from "../release/mend";
import type { Outcome } from "../release/outcome";
import type { Target, World } from "../release/world";
import { UserError } from "../user-error";
import { type AskAws, awsOnDemand } from "./aws";
import { cancelledBySignals } from "./cancel";
import { isLeftOpen, openDoor, shutBehindMain } from "./door";
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
  /** what may stop it beside the hosts' own answers */
  readonly alarms?: (inputs: I, ask: AskAws) => World["alarms"];
}

/** Changes the hosts, and tells how it ended. A thrown error is a wrong input, before anybody was asked anything, or a bug. */
export async function main<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  refuseRunner(process.platform, process.arch);
  const { mask, conceal } = maskingOf(io);
  const inputs = action.read(io);
  const transaction = newTransaction(inputs.request.run);
  const verification = action.verification?.(inputs);
  const log = new JobLog(core, mask);
  const ask = awsOnDemand(inputs.hosts.region, log);
  const alarms = action.alarms?.(inputs, ask);
  const means = { log, cancel: cancelledBySignals(), conceal, verification, alarms };
  const outcome = await throughDoor(
    { inputs, ask, transaction, means },
    () => completed(action, inputs, { ask, log, conceal }),
    async (world, request) => {
      if (!world.unreachable) core.saveState("transaction", transaction); // from here on `post` has something to ask the host
      const ended = await action.run(request, world);
      if (ended.settled) core.saveState("settled", "true");
      return ended;
    },
  );
  await report(outcome, action.outputs, inputs, io, mask);
}

interface Way<I extends ChangeInputs> {
  readonly inputs: I;
  readonly ask: AskAws;
  readonly transaction: string;
  readonly means: Pick<World, "log" | "cancel" | "conceal" | "verification" | "alarms">;
}

/**
 * Finds the hosts and what else AWS has to say, and does something with them while their port is open. What AWS refuses is
 * told as any other failure.
 */
async function throughDoor<I extends ChangeInputs, T>(
  { inputs, ask, transaction, means }: Way<I>,
  prepare: () => Promise<I["request"]>,
  body: (world: World, request: I["request"]) => Promise<T>,
): Promise<T> {
  const { log, cancel } = means;
  const world = { ...means, hosts: [] as readonly Target[], clock: systemClock, transaction };
  let { request } = inputs;
  let shut = async () => {};
  let doing = "find";
  try {
    const hosts = await unlessAborted(findHosts(inputs, ask, log), cancel);
    doing = "env";
    request = await unlessAborted(prepare(), cancel);
    doing = "open port";
    if (!cancel.aborted) shut = await openDoor({ inputs, hosts, holder: transaction, url: request.run.url, ask, log });
    world.hosts = hosts;
  } catch (cause) {
    if (!(cause instanceof UserError || cause instanceof Cancelled)) throw cause;
    return body({ ...world, unreachable: new GateError(doing, cause.message, { cause }) }, request);
  }
  try {
    return await body(world, request);
  } finally {
    await shut();
  }
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
 * says what they run; and shuts the port. Where main touched no host there is none to ask. Whatever goes wrong here is a
 * warning: main has the step's colour.
 */
export async function post<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
): Promise<void> {
  const main = core.getState("transaction");
  const unsettled = main !== "" && core.getState("settled") !== "true";
  if (!unsettled && !isLeftOpen()) return;
  const { mask, conceal } = maskingOf(io);
  const log = new JobLog(core, mask);
  const warn = (what: string) => (error: Error) => core.warning(`${what}: ${safeText(error.message)}`);
  if (unsettled)
    await askHosts(action, io, main, { log, conceal }).catch(warn("What the hosts run could not be asked"));
  await shutBehindMain(log).catch(warn("The SSH port could not be shut"));
}

async function askHosts<I extends ChangeInputs, O extends Outcome>(
  action: ChangeAction<I, O>,
  io: InputSource,
  main: string,
  { log, conceal }: Pick<World, "log" | "conceal">,
): Promise<void> {
  const inputs = action.read(io);
  const { request } = inputs;
  // what users see was proved before the first host committed: the others have only to follow
  const means = { log, cancel: new AbortController().signal, conceal, verification: undefined };
  const ask = awsOnDemand(inputs.hosts.region, log);
  await throughDoor(
    { inputs, ask, transaction: `post-${main}`, means },
    async () => request,
    (world) => {
      if (world.unreachable) throw world.unreachable;
      return mend(request, world, main, async (release) =>
        action.again(await completed(action, inputs, { ask, log, conceal }), world, release),
      );
    },
  );
}
