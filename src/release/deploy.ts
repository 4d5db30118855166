import { pullImage } from "../host/pull";
import { lookAtAlarms } from "./alarms";
import { createCandidate, preDeploy, startCandidate } from "./candidate";
import { type Change, change } from "./change";
import { connect } from "./connect";
import { type Fleet, type Member, of } from "./fleet";
import { endsFirst, prepareHandover, takePort } from "./handover";
import { ensureProxyImage, homeFor } from "./home";
import type { Outcome } from "./outcome";
import { planFor, planForFirst } from "./plan";
import { preflight } from "./preflight";
import { ensureProxy } from "./proxy";
import { placeAfter, standAside } from "./recreate";
import type { DeployRequest } from "./request";
import { sendScout } from "./scout";
import { newKey } from "./seal";
import { applySettings, servesThrough } from "./traffic";
import { openTransaction, transact } from "./transact";
import type { Transaction } from "./transaction";
import { verifyUrls } from "./verification";
import type { AlarmsBefore, World } from "./world";

/** Brings a new release to its hosts. It resolves with how it ended, also when it failed. */
export function deploy(request: DeployRequest, world: World): Promise<Outcome> {
  const asked = {
    change: "deploy",
    version: request.version,
    image: request.image.name,
    digest: request.image.digest ?? "",
    keepsFailed: request.safety.keepFailed,
    httpPort: request.traffic.httpPort,
  } as const;
  return change(asked, world, (change) => attempt(request, change));
}

/** Brings further hosts to a release that others run already: there it was proved, and these have only to follow. */
export const follow = (request: DeployRequest, world: World): Promise<Outcome> =>
  deploy({ ...request, rollout: undefined }, world);

async function attempt(request: DeployRequest, change: Change): Promise<Outcome> {
  const { world, fleet, report, endings } = change;
  const { members } = fleet;
  const arrival = {
    connected: (member: Member) => {
      member.scout = sendScout(request, of(member, "host"));
    },
    makeHome: request.safety.dryRun ? undefined : homeFor(request),
  };
  const locking = await report.stoppable("connect", () => connect(request, world, fleet, arrival));
  await report.stoppable("guard", () => fleet.each(members, (member) => locking(member)));
  const known = members.filter(({ guard }) => guard);
  const alarms = await report.stoppable("preflight", async () => {
    const before = lookAtAlarms(change);
    before.catch(() => {}); // told when the hosts have had their say
    await fleet.each(known, (member) => look(request, member));
    return before;
  });
  for (const member of known) for (const line of of(member, "scene").warnings) report.warn(line);
  const moving = await changing(request, fleet, known);
  const { verification } = world;
  const verify = verification && (() => verifyUrls(change, request, verification, moving));
  if (moving.length === 0 && known.length === members.length) {
    if (verify && !request.safety.dryRun) await report.phase("verify", verify); // it may be what the last run had no answer to
    return endings.unchanged();
  }
  if (request.safety.dryRun) return plan(request, change, alarms);
  await report.stoppable("pull", () => fleet.each(moving, (member) => pull(request, member)));
  const key = Object.keys(request.health.headers).length > 0 ? newKey() : "";
  const bakeTime = Math.max(request.bakeTime, alarms?.leastBake.span ?? 0);
  for (const member of moving) member.tx = openTransaction(request, world, member, { key, bakeTime, reason: "" });
  return transact(change, request, moving, {
    preDeploy: request.preDeploy && ((tx) => preDeploy(tx, request)),
    start: (tx) => start(tx, request),
    alarms,
    rollout: request.rollout && { rollout: request.rollout, bakeTime },
    verify,
    keepReleases: request.safety.keepReleases,
  });
}

async function look(request: DeployRequest, member: Member): Promise<void> {
  member.scene = await preflight(request, of(member, "scout"), of(member, "guard"), of(member, "found"), (current) => {
    member.current = current;
  });
}

function plan(request: DeployRequest, { fleet, endings, world }: Change, alarms: AlarmsBefore | undefined): Outcome {
  const proofs = { verification: world.verification, alarms };
  for (const member of fleet.members)
    for (const line of member.scene ? planFor(request, member, proofs) : planForFirst(request, proofs))
      member.log.info(line);
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
  await Promise.all([app(), ensureProxyImage(host, request.traffic.proxyImage, request.image, log, stop.signal)]);
}

async function start(tx: Transaction, request: DeployRequest): Promise<void> {
  const { candidate, scene } = tx;
  const { handover } = scene;
  await (handover ? prepareHandover(tx, handover) : ensureProxy(tx));
  if (handover && endsFirst(tx)) await takePort(tx, handover);
  await applySettings(tx);
  if (request.traffic.strategy === "recreate") {
    await createCandidate(tx, request, placeAfter(tx));
    await standAside(tx);
  } else await createCandidate(tx, request);
  await startCandidate(tx);
  const how = request.traffic.strategy === "recreate" ? "in place of" : "beside";
  tx.log.info(
    `${candidate.container} started ${how} ${scene.previous?.adopted ?? scene.previous?.container ?? "nothing"}.`,
  );
}
