import { pullImage } from "../host/pull";
import { takeBack } from "./abort";
import { createCandidate, preDeploy, startCandidate } from "./candidate";
import { retire } from "./commit";
import { connect } from "./connect";
import { commit } from "./decision";
import { Endings, urlOf } from "./ending";
import { Fleet, type Member, of, waves } from "./fleet";
import { bake, probe, verifyCommand } from "./gates";
import { endsFirst, prepareHandover, takePort } from "./handover";
import { ensureProxyImage } from "./lock";
import type { Outcome } from "./outcome";
import { planFor, planForFirst } from "./plan";
import { preflight } from "./preflight";
import { ensureNetwork, ensureProxy } from "./proxy";
import { placeAfter, servesAgain, standAside } from "./recreate";
import { Report } from "./report";
import type { DeployRequest, WaveSize } from "./request";
import { applySettings, candidateSlot, fillSlot, servesThrough, shift } from "./traffic";
import type { Transaction } from "./transaction";
import type { World } from "./world";

/**
 * One deploy, as one transaction on all of its hosts. It resolves with how it ended, also when it failed: at every moment
 * each host was on one committed release, and is now.
 */
export async function deploy(request: DeployRequest, world: World): Promise<Outcome> {
  const fleet = new Fleet(world);
  const report = new Report(world.log, world.clock, fleet.signal);
  const endings = new Endings(request, fleet, report);
  const onCancel = () => fleet.cancel(world.cancel.reason);
  world.cancel.addEventListener("abort", onCancel, { once: true });
  if (world.cancel.aborted) onCancel();
  try {
    return await attempt(request, world, fleet, report, endings);
  } catch (cause) {
    return endings.failedBefore(fleet.signal.aborted ? fleet.signal.reason : cause);
  } finally {
    world.cancel.removeEventListener("abort", onCancel);
    await Promise.all(fleet.members.map(({ guard }) => guard?.bye()));
    fleet.close();
  }
}

async function attempt(
  request: DeployRequest,
  world: World,
  fleet: Fleet,
  report: Report,
  endings: Endings,
): Promise<Outcome> {
  const { members } = fleet;
  const locking = await report.stoppable("connect", () => connect(request, world, fleet));
  await report.stoppable("guard", () => fleet.each(members, (member) => locking(member)));
  const known = members.filter(({ guard }) => guard);
  await report.stoppable("preflight", () => fleet.each(known, (member) => look(request, member)));
  for (const member of known) for (const line of of(member, "scene").warnings) report.warn(line);
  const moving = await changing(request, fleet, known);
  if (moving.length === 0 && known.length === members.length) return endings.unchanged();
  if (request.safety.dryRun) return plan(request, members, endings);
  await report.stoppable("pull", () => fleet.each(moving, (member) => pull(request, member)));
  for (const member of moving) member.tx = openTransaction(request, world, member);
  return transact(request, world, fleet, moving, report, endings);
}

async function look(request: DeployRequest, member: Member): Promise<void> {
  member.scene = await preflight(request, of(member, "scout"), of(member, "guard"), of(member, "found"), (current) => {
    member.current = current;
  });
}

function plan(request: DeployRequest, members: readonly Member[], endings: Endings): Outcome {
  for (const member of members)
    for (const line of member.scene ? planFor(request, member) : planForFirst(request)) member.log.info(line);
  return endings.planned();
}

/** The hosts on which there is something to do. */
async function changing(request: DeployRequest, fleet: Fleet, members: readonly Member[]): Promise<readonly Member[]> {
  const unchanged = await fleet.each(members, (member) => isUnchanged(request, member));
  return members.filter((_member, n) => !unchanged[n]);
}

async function isUnchanged(request: DeployRequest, member: Member): Promise<boolean> {
  const { current, image, fingerprint } = of(member, "scene");
  if (!current || of(member, "scene").handover || request.safety.force || of(member, "found").recovered !== "nothing")
    return false;
  if (current.digest !== image.digest || current.fingerprint !== fingerprint) return false;
  if (!(await servesThrough(of(member, "host"), request.app, current))) return false;
  member.log.info(`${current.release} serves already, with the same image, options, env and checks: nothing to do.`);
  return true;
}

async function pull(request: DeployRequest, member: Member): Promise<void> {
  const { log, stop } = member;
  const { imagePresent, reference } = of(member, "scene");
  const host = of(member, "host");
  const app = async () => {
    if (imagePresent) {
      log.info(`${reference} is on the host already.`);
      return;
    }
    await pullImage(host.docker, reference, request.image.credentials, (line) => log.debug(line), stop.signal);
    log.info(`Pulled ${reference}.`);
  };
  await Promise.all([app(), ensureProxyImage(host, request, log, stop.signal)]);
}

function openTransaction(request: DeployRequest, world: World, member: Member): Transaction {
  const { log, stop, evidence } = member;
  const scene = of(member, "scene");
  const slot = candidateSlot(scene.current);
  const container = `${request.app}-${scene.id}`;
  const candidate = { id: scene.id, container, slot, address: "", port: 0, created: false };
  const { clock, transaction: name } = world;
  const guard = of(member, "guard");
  const begun = guard.begin(scene.id); // the first change waits for it
  begun.catch(() => {});
  return {
    name,
    request,
    host: of(member, "host"),
    guard,
    begun,
    scene,
    candidate,
    log,
    clock,
    stop,
    evidence,
  };
}

/** From the first mutation to the commit. Whatever stops it, on whichever host, the guards' journals are the one way back. */
async function transact(
  request: DeployRequest,
  world: World,
  fleet: Fleet,
  moving: readonly Member[],
  report: Report,
  endings: Endings,
): Promise<Outcome> {
  const each = (name: string, members: readonly Member[], body: (tx: Transaction) => Promise<void>) =>
    report.phase(name, () => fleet.each(members, (member) => body(of(member, "tx"))));
  try {
    await fleet.each(moving, (member) => ensureNetwork(of(member, "tx")));
    if (request.preDeploy) await each("pre-deploy", moving.slice(0, 1), preDeploy);
    await each("start", moving, start);
    await each("probe", moving, probe);
    for (const wave of waves(moving, waveLength(request.waveSize, moving.length))) {
      await each("shift", wave, moveTraffic);
      await report.phase("bake", async () => {
        await fleet.each(wave, (member) => bake(of(member, "tx")));
        for (const member of wave)
          await fleet.each([member], () => verifyCommand(of(member, "tx"), urlOf(request, member.target.address)));
      });
    }
  } catch (cause) {
    return goBack(world, fleet, moving, report, endings, cause);
  }
  return commitAndRetire(world, fleet, moving, report, endings);
}

async function commitAndRetire(
  world: World,
  fleet: Fleet,
  moving: readonly Member[],
  report: Report,
  endings: Endings,
): Promise<Outcome> {
  let ends: Awaited<ReturnType<typeof commit>>;
  try {
    ends = await report.phase("commit", () => commit(fleet, moving, world));
  } catch (cause) {
    return goBack(world, fleet, moving, report, endings, cause);
  }
  if ([...ends.values()].includes("back")) return endings.parted(ends);
  const retiring = moving.filter((member) => ends.get(member) === "committed");
  const warnings = await report.phase("retire", () => Promise.all(retiring.map((member) => retire(member, world))));
  retiring.forEach((member, n) => {
    for (const line of warnings[n] ?? []) report.warn(fleet.several ? `${member.name}: ${line}` : line);
  });
  return endings.committed(ends);
}

async function goBack(
  world: World,
  fleet: Fleet,
  moving: readonly Member[],
  report: Report,
  endings: Endings,
  thrown: unknown,
): Promise<Outcome> {
  const cause = fleet.signal.aborted ? fleet.signal.reason : thrown;
  const phase = report.phaseNow;
  const taken = await report.phase("abort", () => takeBack(fleet, moving, world, cause));
  const [only] = moving;
  if (only && moving.length === 1 && taken.truths.get(only)?.release === of(only, "tx").candidate.id) {
    report.warn(
      `The connection was lost during the commit, and the host says that ${of(only, "tx").candidate.id} is committed.`,
    );
    return endings.committed(new Map([[only, "finished"]]));
  }
  return endings.takenBack(phase, taken);
}

async function start(tx: Transaction): Promise<void> {
  const { candidate, scene, request } = tx;
  const { handover } = scene;
  await (handover ? prepareHandover(tx, handover) : ensureProxy(tx));
  if (handover && endsFirst(tx)) await takePort(tx, handover);
  await applySettings(tx);
  if (request.traffic.strategy === "recreate") {
    await createCandidate(tx, placeAfter(tx));
    await standAside(tx);
  } else await createCandidate(tx);
  await startCandidate(tx);
  if (!handover || endsFirst(tx)) await fillSlot(tx);
  const how = request.traffic.strategy === "recreate" ? "in place of" : "beside";
  tx.log.info(
    `${candidate.container} started ${how} ${scene.previous?.adopted ?? scene.previous?.container ?? "nothing"}.`,
  );
}

async function moveTraffic(tx: Transaction): Promise<void> {
  const { candidate, request, scene } = tx;
  const { handover, previous } = scene;
  if (handover && !endsFirst(tx)) {
    await takePort(tx, handover);
    await fillSlot(tx);
  }
  await shift(tx);
  servesAgain(tx, candidate.id);
  const stopped = request.traffic.strategy === "recreate" || previous?.adopted;
  tx.log.info(
    `All traffic goes to ${candidate.id}; ${previous?.release ?? "nothing"} ${stopped ? "is stopped" : "waits behind it"}.`,
  );
}

/** At least one host; a percentage is rounded down. */
const waveLength = (size: WaveSize, members: number): number =>
  "hosts" in size ? size.hosts : Math.max(1, Math.floor((members * size.percent) / 100));
