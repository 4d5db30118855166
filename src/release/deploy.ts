import { lastLogLines } from "../host/containers";
import { FolderAbsent, type Found, type Guard, GuardLost } from "../host/guard/guard";
import type { Host } from "../host/host";
import { pullImage } from "../host/pull";
import { UserError } from "../user-error";
import { preDeploy, startCandidate } from "./candidate";
import { commit, prune } from "./commit";
import { Cancelled, GateError } from "./failure";
import { bake, probe, verifyCommand } from "./gates";
import { ensureProxyImage, takeOrMakeLock } from "./lock";
import type { Failure, Outcome, ReleaseName } from "./outcome";
import { preflight } from "./preflight";
import type { ReleaseRecord } from "./record";
import { Report } from "./report";
import type { DeployRequest } from "./request";
import type { Scene } from "./scene";
import {
  applySettings,
  candidateSlot,
  ensureNetwork,
  ensureProxy,
  fillSlot,
  servesThrough,
  shift,
  waitForSlot,
} from "./traffic";
import type { Transaction } from "./transaction";
import { askWhatServes, type Truth } from "./truth";
import { lockRequest, type World } from "./world";

/**
 * One deploy, as a transaction on the host. It resolves with how it ended, also when it failed: at every moment the host
 * was on one committed release, and is now.
 */
export async function deploy(request: DeployRequest, world: World): Promise<Outcome> {
  const report = new Report(world.log, world.clock);
  const stop = new AbortController();
  const onCancel = () => stop.abort(world.cancel.reason);
  world.cancel.addEventListener("abort", onCancel, { once: true });
  if (world.cancel.aborted) onCancel();
  try {
    return await attempt(request, world, report, stop);
  } catch (cause) {
    return report.close({
      ...ending(request, world, undefined),
      status: "failed",
      failure: failureOf(cause, report.phaseNow, []),
    });
  } finally {
    world.cancel.removeEventListener("abort", onCancel);
  }
}

async function attempt(request: DeployRequest, world: World, report: Report, stop: AbortController): Promise<Outcome> {
  const host = await report.phase("connect", () => connect(world));
  try {
    const locked = await report.phase("guard", () => takeGuard(request, world, host, stop.signal));
    if (!locked) return planFirst(request, world, report);
    const { guard, found } = locked;
    void guard.lost.then((lost) => stop.abort(lost));
    void host.connection.closed.then(() => stop.abort(new GuardLost("the connection to the host was lost")));
    try {
      const scene = await report.phase("preflight", () => preflight(request, host, guard, found));
      for (const line of scene.warnings) report.warn(line);
      if (await isUnchanged(request, host, found, scene)) return unchanged(request, world, report, scene);
      if (request.safety.dryRun) return planned(request, world, report, scene);
      await report.phase("pull", () => pull(request, world, host, scene, stop.signal));
      return await transact(openTransaction(request, world, report, host, guard, scene, stop), world, report);
    } finally {
      await guard.bye();
    }
  } finally {
    host.close();
  }
}

async function connect(world: World): Promise<Host> {
  const host = await world.open();
  const version = await host.engine.greet();
  world.log.info(`${world.hostName}: connected, Docker ${version.Version}, ${version.Arch}`);
  return host;
}

/** undefined = a dry run before the first deploy: there is nothing on the host to look at. */
async function takeGuard(request: DeployRequest, world: World, host: Host, signal: AbortSignal) {
  const { log, clock } = world;
  try {
    return await takeOrMakeLock(host, request, lockRequest(request, world), log, clock, signal);
  } catch (error) {
    if (error instanceof FolderAbsent) return undefined;
    throw error;
  }
}

async function isUnchanged(request: DeployRequest, host: Host, found: Found, scene: Scene): Promise<boolean> {
  const { current } = scene;
  if (!current || request.safety.force || found.recovered !== "nothing") return false;
  if (current.digest !== scene.image.digest || current.fingerprint !== scene.fingerprint) return false;
  return servesThrough({ host }, request.app, current);
}

async function pull(
  request: DeployRequest,
  world: World,
  host: Host,
  scene: Scene,
  signal: AbortSignal,
): Promise<void> {
  const app = async () => {
    if (scene.imagePresent) {
      world.log.info(`${scene.reference} is on the host already.`);
      return;
    }
    await pullImage(host.docker, scene.reference, request.image.credentials, (line) => world.log.debug(line), signal);
    world.log.info(`Pulled ${scene.reference}.`);
  };
  await Promise.all([app(), ensureProxyImage(host, request, world.log, signal)]);
}

function openTransaction(
  request: DeployRequest,
  world: World,
  report: Report,
  host: Host,
  guard: Guard,
  scene: Scene,
  stop: AbortController,
): Transaction {
  const candidate = {
    id: scene.id,
    container: `${request.app}-${scene.id}`,
    slot: candidateSlot(scene.current),
    address: "",
    port: 0,
    created: false,
  };
  const { log, clock } = world;
  return {
    name: world.transaction,
    request,
    host,
    guard,
    scene,
    candidate,
    log,
    clock,
    stop,
    evidence: report.evidence,
  };
}

/** From the first mutation to the commit. Whatever stops it, the guard's journal is the one way back. */
async function transact(tx: Transaction, world: World, report: Report): Promise<Outcome> {
  const { guard, scene, request } = tx;
  let retired: Promise<string | undefined>;
  try {
    await guard.begin(tx.candidate.id);
    await report.phase("start", async () => {
      await ensureNetwork(tx);
      await ensureProxy(tx);
      await applySettings(tx);
      await preDeploy(tx);
      await startCandidate(tx);
      await fillSlot(tx);
      world.log.info(`${tx.candidate.container} started beside ${scene.current?.container ?? "nothing"}.`);
    });
    await report.phase("probe", () => probe(tx));
    await report.phase("shift", async () => {
      await waitForSlot(tx);
      await shift(tx);
      world.log.info(`All traffic goes to ${tx.candidate.id}; ${scene.current?.release ?? "nothing"} waits behind it.`);
    });
    await report.phase("bake", async () => {
      await bake(tx);
      await verifyCommand(tx, urlOf(request, world));
    });
    ({ retired } = await report.phase("commit", () => commit(tx)));
  } catch (cause) {
    return takeBack(
      tx,
      world,
      report,
      tx.stop.signal.aborted && !(cause instanceof GateError) ? tx.stop.signal.reason : cause,
    );
  }
  await report.phase("retire", () => retire(tx, report, retired));
  return report.close({
    ...ending(request, world, scene),
    status: "deployed",
    serving: nameOf(tx),
    failure: undefined,
  });
}

async function retire(tx: Transaction, report: Report, retired: Promise<string | undefined>): Promise<void> {
  const old = tx.scene.current;
  try {
    const stuck = await retired;
    if (stuck)
      report.warn(
        `${tx.candidate.id} is committed and serves, but the host could not finish: ${stuck}. It tries again at the next deploy.`,
      );
    else if (old) tx.log.info(`${old.release} is stopped and kept.`);
    for (const warning of await prune(tx)) report.warn(warning);
  } catch (error) {
    report.warn(
      `${tx.candidate.id} is committed and serves, but the connection ended while ${old?.release ?? "nothing"} was retired: ${(error as Error).message}. The host finishes it by itself.`,
    );
  }
}

/** One way back, whatever the cause. A living guard is told to abort; a lost one has begun already, and the host is asked what came of it. */
async function takeBack(tx: Transaction, world: World, report: Report, cause: unknown): Promise<Outcome> {
  const { request, scene } = tx;
  const phase = report.phaseNow;
  const lines = tx.candidate.created && !(cause instanceof GuardLost) ? await lastWords(tx) : [];
  world.log.info(`${sentence(cause)} The host goes back to ${scene.current?.release ?? "what it was"}.`);
  const truth = await report.phase("abort", () => abortOrAsk(tx, world, cause));
  const base = ending(request, world, scene);
  if (truth?.release === tx.candidate.id) {
    report.warn(`The connection was lost during the commit, and the host says that ${tx.candidate.id} is committed.`);
    return report.close({ ...base, status: "deployed", serving: nameOf(tx), failure: undefined });
  }
  const failure = failureOf(cause, phase, lines, truth === undefined ? LEFT_ALONE : "");
  return report.close({
    ...base,
    status: scene.current && truth ? "rolled-back" : "failed",
    serving: truth?.serving,
    settled: truth !== undefined,
    failure,
  });
}

const LEFT_ALONE = " The host was not reached again: its guard takes it back by itself once the lease has run out.";

/** undefined = nobody could say; the guard on the host does it by itself */
async function abortOrAsk(tx: Transaction, world: World, cause: unknown): Promise<Truth | undefined> {
  if (!(cause instanceof GuardLost)) {
    try {
      tx.host.engine.close(); // nothing of ours may be under way while the guard undoes
      const stuck = await tx.guard.abort();
      if (stuck) world.log.warning(`The host could not take back: ${stuck}. It tries again at the next deploy.`);
      const current = tx.scene.current;
      return { release: current?.release ?? "", serving: current && nameOfRecord(current) };
    } catch (error) {
      if (!(error instanceof GuardLost)) throw error;
      world.log.info(error.message);
    }
  }
  tx.host.close();
  if (cause instanceof Cancelled) return undefined; // seconds are left: post asks
  return askWhatServes(tx.request, world);
}

async function lastWords(tx: Transaction): Promise<readonly string[]> {
  try {
    return await lastLogLines(tx.host.docker, tx.candidate.container);
  } catch {
    return [];
  }
}

const sentence = (cause: unknown): string => {
  const message = (cause as Error).message ?? String(cause);
  return /[.!?]$/.test(message) ? message : `${message}.`;
};

function failureOf(cause: unknown, phase: string, log: readonly string[], more = ""): Failure {
  const gate = cause instanceof GateError ? cause.gate : phase;
  return {
    gate,
    reason: `${sentence(cause)}${more}`,
    log,
    cancelled: cause instanceof Cancelled,
    ...(isBug(cause) ? { cause } : {}),
  };
}

const isBug = (cause: unknown): boolean =>
  !(
    cause instanceof UserError ||
    cause instanceof GateError ||
    cause instanceof Cancelled ||
    cause instanceof GuardLost
  );

function unchanged(request: DeployRequest, world: World, report: Report, scene: Scene): Outcome {
  const current = scene.current as ReleaseRecord;
  world.log.info(`${current.release} serves already, with the same image, options, env and checks: nothing to do.`);
  const base = { ...ending(request, world, scene), release: current.release };
  return report.close({ ...base, status: "unchanged", serving: nameOfRecord(current), failure: undefined });
}

function planned(request: DeployRequest, world: World, report: Report, scene: Scene): Outcome {
  const { current, id } = scene;
  const lines = [
    `Would ${scene.imagePresent ? "use" : "pull"} ${scene.reference}`,
    ...(scene.proxy
      ? []
      : [`Would start the proxy (${request.traffic.proxyImage}) on port ${request.traffic.httpPort}`]),
    ...(request.preDeploy ? [`Would run pre-deploy: ${request.preDeploy.command.join(" ")}`] : []),
    `Would start ${request.app}-${id} in the slot ${candidateSlot(current)}, beside ${current?.container ?? "nothing"}`,
    `Would ask ${request.health.path} until ${request.health.threshold} answers in a row are right, ${request.health.startTimeout / 1000} s at most`,
    `Would shift all traffic and watch it for ${request.bakeTime / 1000} s`,
    `Would commit ${id}${current ? `, then drain and stop ${current.container} and keep it` : ""}`,
  ];
  for (const line of lines) world.log.info(line);
  return report.close({
    ...ending(request, world, scene),
    status: "planned",
    serving: current && nameOfRecord(current),
    failure: undefined,
  });
}

function planFirst(request: DeployRequest, world: World, report: Report): Outcome {
  world.log.info(
    `Would make /var/lib/hello-devops/${request.app} on the host: it is the first deploy of "${request.app}" there.`,
  );
  world.log.info(
    `Would pull ${request.traffic.proxyImage} and ${request.image.name}, start both, and send port ${request.traffic.httpPort} to the app once it is healthy.`,
  );
  return report.close({ ...ending(request, world, undefined), status: "planned", failure: undefined });
}

const nameOfRecord = ({ release, version, digest }: ReleaseRecord): ReleaseName => ({ release, version, digest });
const nameOf = ({ candidate, request, scene }: Transaction): ReleaseName => ({
  release: candidate.id,
  version: request.version,
  digest: scene.image.digest,
});

export function urlOf(request: DeployRequest, world: Pick<World, "hostName">): string {
  const host = world.hostName.includes(":") ? `[${world.hostName}]` : world.hostName;
  return `http://${host}${request.traffic.httpPort === 80 ? "" : `:${request.traffic.httpPort}`}`;
}

function ending(request: DeployRequest, world: World, scene: Scene | undefined) {
  return {
    release: scene?.id ?? "",
    digest: scene?.image.digest ?? request.image.digest ?? "",
    previous: scene?.current && nameOfRecord(scene.current),
    serving: scene?.current && nameOfRecord(scene.current),
    url: urlOf(request, world),
    host: world.hostName,
    settled: true,
  };
}
