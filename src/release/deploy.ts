import { FolderAbsent, GuardLost } from "../host/guard/failures";
import type { Found, Guard } from "../host/guard/guard";
import type { Host } from "../host/host";
import { pullImage } from "../host/pull";
import { UserError } from "../user-error";
import { takeBack } from "./abort";
import { preDeploy, startCandidate } from "./candidate";
import { commit, retire } from "./commit";
import { deployed, failedBefore, planned, plannedFirst, unchanged, urlOf } from "./ending";
import { GateError } from "./failure";
import { bake, probe, verifyCommand } from "./gates";
import { ensureProxyImage, takeOrMakeLock } from "./lock";
import type { Outcome } from "./outcome";
import { preflight } from "./preflight";
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
import { lockRequest, type World } from "./world";

/**
 * One deploy, as a transaction on the host. It resolves with how it ended, also when it failed: at every moment the host
 * was on one committed release, and is now.
 */
export async function deploy(request: DeployRequest, world: World): Promise<Outcome> {
  const stop = new AbortController();
  const report = new Report(world.log, world.clock, stop.signal);
  const onCancel = () => stop.abort(world.cancel.reason);
  world.cancel.addEventListener("abort", onCancel, { once: true });
  if (world.cancel.aborted) onCancel();
  try {
    return await attempt(request, world, report, stop);
  } catch (cause) {
    return failedBefore(request, world, report, cause);
  } finally {
    world.cancel.removeEventListener("abort", onCancel);
  }
}

async function attempt(request: DeployRequest, world: World, report: Report, stop: AbortController): Promise<Outcome> {
  const host = await report.stoppable("connect", () => connect(world));
  try {
    const locked = await report.stoppable("guard", () => takeGuard(request, world, host, stop.signal));
    if (!locked) return plannedFirst(request, world, report);
    const { guard, found } = locked;
    refuseStuck(found);
    void guard.lost.then((lost) => stop.abort(lost));
    void host.connection.closed.then(() => stop.abort(new GuardLost("the connection to the host was lost")));
    try {
      const scene = await report.stoppable("preflight", () =>
        preflight(request, host, guard, found, (current) => {
          report.current = current;
        }),
      );
      report.scene = scene;
      for (const line of scene.warnings) report.warn(line);
      if (await isUnchanged(request, host, found, scene)) return unchanged(request, world, report);
      if (request.safety.dryRun) return planned(request, world, report, scene);
      await report.stoppable("pull", () => pull(request, world, host, scene, stop.signal));
      return await transact(openTransaction(request, world, report, host, guard, scene, stop), world, report);
    } catch (cause) {
      throw stop.signal.aborted ? stop.signal.reason : cause; // asked before bye, by which the guard is gone too
    } finally {
      await guard.bye();
    }
  } finally {
    host.close();
  }
}

async function connect(world: World): Promise<Host> {
  const host = await world.open();
  try {
    const version = await host.engine.greet();
    world.log.info(`${world.hostName}: connected, Docker ${version.Version}, ${version.Arch}`);
    return host;
  } catch (error) {
    host.close();
    throw error;
  }
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

/** What an earlier deploy left must be put right first: a new transaction over it would take back the wrong thing. */
function refuseStuck({ stuck, current }: Found): void {
  if (!stuck) return;
  throw new UserError(
    `An earlier deploy died on the host, and its guard could not do "${stuck}". ${current || "Nothing"} is committed. ` +
      "Look at the host (docker ps -a, docker info, df), mend what is in the way, and run this again: it is tried anew.",
  );
}

async function isUnchanged(request: DeployRequest, host: Host, found: Found, scene: Scene): Promise<boolean> {
  const { current } = scene;
  if (!current || request.safety.force || found.recovered !== "nothing") return false;
  if (current.digest !== scene.image.digest || current.fingerprint !== scene.fingerprint) return false;
  return servesThrough(host, request.app, current);
}

async function pull(request: DeployRequest, world: World, host: Host, scene: Scene, signal: AbortSignal) {
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
  const { id, current } = scene;
  const { log, clock, transaction: name } = world;
  const slot = candidateSlot(current);
  const candidate = { id, container: `${request.app}-${id}`, slot, address: "", port: 0, created: false };
  return { name, request, host, guard, scene, candidate, log, clock, stop, evidence: report.evidence };
}

/** From the first mutation to the commit. Whatever stops it, the guard's journal is the one way back. */
async function transact(tx: Transaction, world: World, report: Report): Promise<Outcome> {
  const { guard, request, stop } = tx;
  let retired: Promise<string | undefined>;
  try {
    await guard.begin(tx.candidate.id);
    await ensureNetwork(tx);
    if (request.preDeploy) await report.phase("pre-deploy", () => preDeploy(tx));
    await report.phase("start", () => start(tx));
    await report.phase("probe", () => probe(tx));
    await report.phase("shift", () => moveTraffic(tx));
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
      stop.signal.aborted && !(cause instanceof GateError) ? stop.signal.reason : cause,
    );
  }
  for (const line of await report.phase("retire", () => retire(tx, retired, world))) report.warn(line);
  return deployed(tx, world, report);
}

async function start(tx: Transaction): Promise<void> {
  await ensureProxy(tx);
  await applySettings(tx);
  await startCandidate(tx);
  await fillSlot(tx);
  tx.log.info(`${tx.candidate.container} started beside ${tx.scene.current?.container ?? "nothing"}.`);
}

async function moveTraffic(tx: Transaction): Promise<void> {
  await waitForSlot(tx);
  await shift(tx);
  tx.log.info(`All traffic goes to ${tx.candidate.id}; ${tx.scene.current?.release ?? "nothing"} waits behind it.`);
}
