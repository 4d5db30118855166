import { takeBack } from "./abort";
import { underAlarms } from "./alarms";
import { writeRelease } from "./candidate";
import type { Change } from "./change";
import { retire } from "./commit";
import { commit } from "./decision";
import { urlOf } from "./ending";
import { type Member, of, waves } from "./fleet";
import { bake, probe, verifyCommand } from "./gates";
import { endsFirst, takePort } from "./handover";
import type { Outcome } from "./outcome";
import { ensureNetwork } from "./proxy";
import { servesAgain } from "./recreate";
import type { ChangeRequest, Terms, WaveSize } from "./request";
import { Rollout, type RolloutTerms } from "./rollout";
import { candidateSlot, fillSlot, shift } from "./traffic";
import { historyEntry, sideBySide, type Transaction } from "./transaction";
import type { AlarmsBefore, World } from "./world";

/** In what a new release and one that comes back differ, once their transactions are open. */
export interface Way {
  /** on one host, before any traffic moves */
  readonly preDeploy: ((tx: Transaction) => Promise<void>) | undefined;
  /** the candidate's container runs */
  readonly start: (tx: Transaction) => Promise<void>;
  /** undefined = none is watched */
  readonly alarms: AlarmsBefore | undefined;
  /** undefined = all traffic moves at once, and is compared with nothing: whoever goes back is in a hurry */
  readonly rollout: RolloutTerms | undefined;
  /** once, when all traffic has moved on all hosts and was watched; undefined = nothing more is proved */
  readonly verify: (() => Promise<void>) | undefined;
  /** how many releases stay on a host; undefined = all */
  readonly keepReleases: number | undefined;
}

/** The journal of one host is open from here on: whatever comes now, the host takes back by itself. */
export function openTransaction(
  request: ChangeRequest & Terms,
  world: World,
  member: Member,
  given: Pick<Transaction, "bakeTime" | "reason"> & { readonly key: string },
): Transaction {
  const { log, stop, evidence } = member;
  const scene = of(member, "scene");
  const { kept } = scene;
  const unknown = { address: "", startedAt: "", port: kept?.port ?? 0, created: false };
  const place = { slot: candidateSlot(scene.current), ...unknown };
  const container = kept?.container ?? `${request.app}-${scene.id}`;
  const guard = of(member, "guard");
  const opened = guard.begin(scene.id); // the first change waits for it
  const tx = {
    name: world.transaction,
    request,
    host: of(member, "host"),
    guard,
    scene,
    candidate: { id: scene.id, container, key: given.key, ...place },
    bakeTime: given.bakeTime,
    reason: given.reason,
    log,
    clock: world.clock,
    stop,
    evidence,
    conceal: world.conceal,
  };
  const begun = Promise.all([opened, guard.undo("tried", historyEntry(tx, "failed", DIED))]);
  begun.catch(() => {});
  return { ...tx, begun };
}

const DIED = "it ended without a word: its runner, the connection or the host died";

/** From the first mutation to the commit. Whatever stops it, on whichever host, the guards' journals are the one way back. */
export async function transact(
  change: Change,
  request: ChangeRequest,
  moving: readonly Member[],
  way: Way,
): Promise<Outcome> {
  const { fleet, report } = change;
  const each = (name: string, members: readonly Member[], body: (tx: Transaction) => Promise<void>) =>
    report.phase(name, () => fleet.each(members, (member) => body(of(member, "tx"))));
  const inWaves = waves(moving, waveLength(request.waveSize, moving.length));
  const rollout = way.rollout && new Rollout(change, way.rollout, moving, inWaves.length);
  try {
    await fleet.each(moving, (member) => ensureNetwork(of(member, "tx")));
    if (way.preDeploy) await each("pre-deploy", moving.slice(0, 1), way.preDeploy);
    await each("start", moving, way.start);
    await each("probe", moving, (tx) => sideBySide(tx, [probe, takeSeat]));
    for (const wave of inWaves) {
      const alarms = underAlarms(change, way.alarms, moving);
      await rollout?.inSteps(wave);
      await each("shift", wave, moveTraffic);
      await report.phase("bake", async () => {
        const watching = () => fleet.each(wave, (member) => watch(of(member, "tx")));
        await (rollout ? rollout.bake(wave, watching) : watching());
        for (const member of wave) await fleet.each([member], verify);
        await alarms.settled();
      });
    }
    await proveByUrls(change, moving, way);
  } catch (cause) {
    return goBack(change, moving, cause);
  }
  return commitAndRetire(change, moving, way.keepReleases);
}

/** What users see, while the alarms are watched on. */
async function proveByUrls(change: Change, moving: readonly Member[], { verify, alarms }: Way): Promise<void> {
  if (!verify) return;
  const watching = underAlarms(change, alarms, moving);
  await change.report.phase("verify", async () => {
    await verify();
    await watching.settled();
  });
}

/** Its slot in the proxy, without traffic, and what is written of it: that takes a new one no longer than its probes. */
async function takeSeat(tx: Transaction): Promise<void> {
  if (!tx.scene.kept) await writeRelease(tx);
  if (!tx.scene.handover || endsFirst(tx)) await fillSlot(tx);
}

/** Whoever goes back is in a hurry: what is written of a release that was here before, and read from the commit on, is written now. */
const watch = (tx: Transaction): Promise<void> => sideBySide(tx, tx.scene.kept ? [bake, writeRelease] : [bake]);

async function verify(member: Member): Promise<void> {
  const tx = of(member, "tx");
  await verifyCommand(tx, urlOf(tx.request.traffic.httpPort, member.target.address));
}

async function commitAndRetire(
  change: Change,
  moving: readonly Member[],
  keepReleases: number | undefined,
): Promise<Outcome> {
  const { world, fleet, report, endings } = change;
  let ends: Awaited<ReturnType<typeof commit>>;
  try {
    ends = await report.phase("commit", () => commit(fleet, moving, world));
  } catch (cause) {
    return goBack(change, moving, cause);
  }
  if ([...ends.values()].includes("back")) return endings.parted(ends);
  const retiring = moving.filter((member) => ends.get(member) === "committed");
  const warnings = await report.phase("retire", () =>
    Promise.all(retiring.map((member) => retire(member, world, keepReleases))),
  );
  retiring.forEach((member, n) => {
    for (const line of warnings[n] ?? []) report.warn(fleet.several ? `${member.name}: ${line}` : line);
  });
  return endings.committed(ends);
}

async function goBack(change: Change, moving: readonly Member[], thrown: unknown): Promise<Outcome> {
  const { world, fleet, report, endings } = change;
  fleet.stopAll(thrown); // nothing that watches goes on
  const cause = fleet.signal.reason;
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
