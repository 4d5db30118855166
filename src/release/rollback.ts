import { UserError } from "../user-error";
import { startCandidate } from "./candidate";
import { type Change, change } from "./change";
import { connect } from "./connect";
import { type Member, of } from "./fleet";
import { ensureProxyImage } from "./home";
import { listing, type Past, type PastRelease, pastReleases } from "./listing";
import { lookBack, sceneOf } from "./lookback";
import type { Outcome } from "./outcome";
import { planForReturn } from "./plan";
import { ensureProxy } from "./proxy";
import { permissionOf, placeAfter, standAside } from "./recreate";
import type { RollbackRequest } from "./request";
import { applySettings, servesThrough } from "./traffic";
import { openTransaction, transact } from "./transact";
import { type Entry, mutate, seconds, sideBySide, type Transaction } from "./transaction";
import type { World } from "./world";

export interface RollbackOutcome extends Outcome {
  /** of the first host, as its history was when the rollback began; newest first */
  readonly releases: readonly PastRelease[];
}

/**
 * Brings a release back that its hosts have kept: the same container, with the environment, mounts, command and limits
 * that it was made with, through the same transaction as a new one. It resolves with how it ended, also when it failed.
 */
export async function rollback(asks: RollbackRequest, world: World): Promise<RollbackOutcome> {
  const request = asks.list ? { ...asks, safety: { ...asks.safety, dryRun: true } } : asks; // it waits for no lock
  let releases: readonly PastRelease[] = [];
  const asked = {
    change: "rollback",
    version: "",
    image: "",
    digest: "",
    keepsFailed: true,
    httpPort: undefined,
  } as const;
  const outcome = await change(asked, world, async (change) => {
    await look(request, change, (past) => {
      releases = pastReleases(past);
    });
    return request.list ? list(change) : bringBack(request, change);
  });
  return { ...outcome, releases };
}

/** @param tell hears what the first host has been running, before anything is chosen or refused */
async function look(
  request: RollbackRequest,
  { world, fleet, report }: Change,
  tell: (past: Past) => void,
): Promise<void> {
  const { members } = fleet;
  const arrival = { connected: (member: Member) => of(member, "host").engine.warm(), makeHome: undefined };
  const locking = await report.stoppable("connect", () => connect(request, world, fleet, arrival));
  await report.stoppable("guard", () => fleet.each(members, (member) => locking(member)));
  await report.stoppable("preflight", async () => {
    await fleet.each(members, (member) => lookBack(request, member));
    const [first] = members;
    if (first) tell(of(first, "past"));
    if (request.list) return;
    await fleet.each(members, async (member) => sceneOf(request, member, report.startedAt));
    for (const member of members)
      world.conceal(Object.values(of(member, "terms").health.headers).flatMap(withItsToken));
    refuseDifferent(members);
    await fleet.each(members.filter(isBack), (member) => refuseBroken(request, member));
    for (const member of members) for (const line of of(member, "scene").warnings) report.warn(line);
  });
}

function list({ fleet, endings }: Change): Outcome {
  for (const member of fleet.members) for (const line of listing(of(member, "past"))) member.log.info(line);
  return endings.planned();
}

async function bringBack(request: RollbackRequest, change: Change): Promise<Outcome> {
  const { world, fleet, endings } = change;
  const moving = fleet.members.filter((member) => !isBack(member));
  if (moving.length === 0) return endings.unchanged();
  if (request.safety.dryRun) {
    for (const member of moving) for (const line of planForReturn(member)) member.log.info(line);
    return endings.planned();
  }
  for (const member of moving) {
    const terms = of(member, "terms");
    const given = { key: "", bakeTime: terms.bakeTime, reason: request.reason };
    member.tx = openTransaction({ ...request, ...terms }, world, member, given);
  }
  return transact(change, request, moving, {
    preDeploy: undefined,
    start,
    alarms: undefined,
    rollout: undefined,
    verify: undefined,
    keepReleases: undefined,
  });
}

/** `Bearer abc` may be told as `abc`, too. */
const withItsToken = (header: string): string[] => [header, header.split(" ").at(-1) ?? header];

const isBack = (member: Member): boolean => of(member, "scene").kept === member.current;

/** @throws {UserError} when the hosts would not end on one release */
function refuseDifferent(members: readonly Member[]): void {
  const targets = members.map((member) => ({ name: member.name, kept: of(member, "scene").kept }));
  const alike = targets.map(({ kept }) => `${kept?.version} ${kept?.digest} ${kept?.fingerprint}`);
  if (new Set(alike).size <= 1) return;
  const each = targets
    .map(({ name, kept }) => `${name} to ${kept?.release} (${kept?.version}, deployed ${kept?.createdAt})`)
    .join(", ");
  throw new UserError(
    `to: the hosts would go back to different releases, or to one that was deployed with other options or env: ${each}. Name the one that all of them are to run (to); list: true shows what there is.`,
  );
}

/** What is committed and should come back has nothing to shift away from: only a new deploy mends it. */
async function refuseBroken({ app }: RollbackRequest, member: Member): Promise<void> {
  const { current } = member;
  if (!current) return;
  if (!(await servesThrough(of(member, "host"), app, current)))
    throw new UserError(
      `${current.release} is committed on this host already, but it does not serve (docker ps -a). Deploy it again with deploy-ec2, or go back further (to: -1).`,
    );
  member.log.info(`${current.release} serves already: nothing to do.`);
}

async function start(tx: Transaction): Promise<void> {
  await sideBySide(tx, [concealEnv, startKept]);
}

/** What the release was given as its env was a secret then, and is one now; what its image says for itself is none. */
async function concealEnv({ host: { docker }, candidate, conceal }: Transaction): Promise<void> {
  const { Config, Image } = await docker.getContainer(candidate.container).inspect();
  const image = await docker.getImage(Image).inspect();
  const given = (Config.Env ?? []).filter((line) => !image.Config.Env?.includes(line));
  conceal(given.map((line) => line.slice(line.indexOf("=") + 1)));
}

async function startKept(tx: Transaction): Promise<void> {
  const { candidate, host, log, request, scene, stop } = tx;
  if (!scene.proxy) await ensureProxyImage(host, request.traffic.proxyImage, undefined, log, stop.signal);
  await ensureProxy(tx);
  await applySettings(tx);
  const recreate = request.traffic.strategy === "recreate";
  const rest: Entry = ["rest", candidate.container, seconds(request.container.stopTimeout)];
  await mutate(tx, [...(recreate ? placeAfter(tx) : []), rest], () => permissionOf(tx));
  if (recreate) await standAside(tx);
  await startCandidate(tx);
  tx.log.info(
    `${candidate.container} started again, ${recreate ? "in place of" : "beside"} ${scene.current?.container}.`,
  );
}
