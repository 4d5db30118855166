import { GuardLost } from "../host/guard/failures";
import { type Member, of } from "./fleet";
import { afterHandover } from "./handover";
import { ancestorsOf } from "./lineage";
import { rejectsOn } from "./lock";
import { NO_RELEASE } from "./naming";
import { called, type ReleaseRecord } from "./record";
import { withdrawPermission } from "./recreate";
import { type Entry, historyEntry, mutateByGuard, type Transaction } from "./transaction";
import { askWhatServes } from "./truth";
import type { World } from "./world";

/** All of a host's commit but the rename: the candidate's restart policy becomes `always` (journaled), and what has to follow is on disk. */
export async function readyToCommit(tx: Transaction): Promise<void> {
  const { candidate, scene } = tx;
  const old = scene.current;
  await withdrawPermission(tx);
  const after: Entry[] = [
    ...afterHandover(tx), // first of all: until it is done, Docker would start the holder of the port after a reboot
    ["history", scene.kept ? historyEntry(tx, "rolled-back", tx.reason) : historyEntry(tx, "deployed", "")],
    ...(old ? retirement(old) : []),
  ];
  await mutateByGuard(tx, [["policy", candidate.container, "no"]], ["policy", candidate.container, "always"], after);
  tx.stop.signal.throwIfAborted();
}

const retirement = (old: ReleaseRecord): Entry[] => [
  ["policy", old.container, "no"],
  ["vacate", old.slot, String(old.drainTimeout)],
  ["stop", old.container, String(old.stopTimeout)],
];

/**
 * The old release drains and stops, which the guard does by itself whatever becomes of the runner; then what is too old
 * goes. The deploy has succeeded by now: what goes wrong here is told, and changes nothing.
 *
 * @param keep how many releases stay on the host; undefined = all of them
 * @returns warnings
 */
export async function retire(member: Member, world: World, keep: number | undefined): Promise<readonly string[]> {
  const tx = of(member, "tx");
  const serves = `${tx.candidate.id} is committed and serves`;
  const { previous } = tx.scene;
  const old = called(previous) ?? "nothing";
  const finished = member.finishing ?? tx.guard.finish();
  finished.catch(() => {}); // reported below, as what comes beside the drain is
  const pruned = prune(tx, keep, finished).then(({ warnings, gone }) => {
    const forgotten = forget(tx, gone);
    void tx.guard.bye(); // behind all of that in the one stream: nobody waits in between
    return forgotten.then((more) => [...warnings, ...more]);
  });
  pruned.catch(() => {});
  try {
    const stuck = await Promise.race([finished, rejectsOn(world.cancel)]);
    if (stuck) return [`${serves}, but the host could not finish: ${stuck}. It tries again at the next deploy.`];
    if (previous) tx.log.info(`${old} is stopped and kept.`);
    return await pruned;
  } catch (error) {
    const why = (error as Error).message;
    if (error instanceof GuardLost && (await finishedAnew(member, world)))
      return [`${serves}. While ${old} was retired, ${why}; the host was reached again and has finished.`];
    return [`${serves}. The host retires ${old} by itself, at the latest at the next deploy: ${why}.`];
  }
}

/** A guard that was killed, or went down with its host, leaves a journal: the next one finishes it. */
async function finishedAnew(member: Member, world: World): Promise<boolean> {
  const { host, request, candidate } = of(member, "tx");
  host.drop();
  return (await askWhatServes(request, world, member.target, member.log))?.release === candidate.id;
}

/** Takes away what is older than the newest `keep`: containers, and images that nothing uses. Its failures are warnings. */
async function prune(tx: Transaction, keep: number | undefined, finished: Promise<unknown>): Promise<Pruned> {
  if (keep === undefined) return { warnings: [], gone: [] };
  const { host, request, scene, candidate } = tx;
  const { kept, outdated } = others(tx, keep);
  const keptImages = new Set([scene.image.digest, ...kept.map(({ digest }) => digest)]);
  const warnings: string[] = [];
  const remove = (container: string, name: string) =>
    tolerate(warnings, `remove ${name}`, () => host.docker.getContainer(container).remove({ v: true, force: true }));
  const removing = Promise.all(
    outdated.map(async (record) => {
      if (record === scene.current) await finished; // it still drains
      return record.adopted ? true : remove(record.container, record.container);
    }),
  );
  removing.catch(() => {}); // awaited below
  const failed = await host.docker.listContainers({
    all: true,
    filters: { label: [`hello-devops.app=${request.app}`, "hello-devops.role=app"] },
  });
  const known = new Set([candidate, ...kept, ...outdated].map(({ container }) => container));
  await Promise.all(
    failed.map(async ({ Id, Names, State }) => {
      const name = Names[0]?.slice(1) ?? "";
      if (State !== "running" && !known.has(name)) await remove(Id, name);
    }),
  );
  const removed = await removing;
  for (const { release, image, digest, adopted } of outdated)
    if (!adopted && !keptImages.has(digest))
      await tolerate(warnings, `remove the image of ${release}`, () =>
        host.docker.getImage(`${image}@${digest}`).remove(),
      );
  return { warnings, gone: outdated.filter((_release, n) => removed[n]) };
}

interface Pruned {
  readonly warnings: readonly string[];
  /** those whose container is no longer there */
  readonly gone: readonly ReleaseRecord[];
}

/** Their records, once their containers are gone: a container without a record would be a stranger. */
async function forget(tx: Transaction, gone: readonly ReleaseRecord[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  await Promise.all(gone.map(({ release }) => tolerate(warnings, `forget ${release}`, () => tx.guard.forget(release))));
  return warnings;
}

/** Those that a rollback would come to first, one after the other, are kept before those that were left behind by one. */
function others({ scene, candidate }: Transaction, keep: number) {
  const all = scene.releases.filter(({ release }) => release !== candidate.id && release !== NO_RELEASE);
  const next = scene.current ? [scene.current, ...ancestorsOf(scene.current, all)] : [];
  const newest = all.filter((record) => !next.includes(record)).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const inOrder = [...next, ...newest];
  const count = Math.max(0, keep - 1);
  return { kept: inOrder.slice(0, count), outdated: inOrder.slice(count) };
}

/** @returns whether it is done, or there is nothing to do it to */
async function tolerate(warnings: string[], what: string, deed: () => Promise<unknown>): Promise<boolean> {
  try {
    await deed();
    return true;
  } catch (error) {
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) warnings.push(`Could not ${what}: ${(error as Error).message}`);
    return status === 404;
  }
}
