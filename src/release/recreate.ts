import { stateFolder } from "../host/proxy/container";
import { NO_RELEASE } from "./naming";
import { type Entry, mutateByGuard, type Transaction } from "./transaction";

/**
 * `strategy: recreate`, for an app that can't run twice: the live release ends before the candidate begins. The proxy, the
 * journal and the commit are those of a blue-green deploy (docs/adr/0009); in between nothing is served.
 */
const permits = ({ scene }: Transaction): string => scene.current?.release ?? NO_RELEASE;

/** What takes back the place that the live release makes for the candidate: undone once the candidate is gone. */
export function placeAfter(tx: Transaction): readonly Entry[] {
  const { current } = tx.scene;
  return [
    ...(current ? [["resume", current.slot, current.container] as const] : []),
    ["forbid", permits(tx), tx.candidate.container],
  ];
}

/**
 * Docker starts the candidate only while `current` permits it: now, by the committed release's own folder; from the
 * commit on, by its own. Between policy and rename by neither, so that a reboot then starts one of the two alone.
 *
 * @returns the file on the host; undefined = the candidate may always start
 */
export async function permissionOf(tx: Transaction): Promise<string | undefined> {
  const { request, candidate, guard } = tx;
  if (request.traffic.strategy !== "recreate") return undefined;
  await guard.do("permit", permits(tx), candidate.container);
  return `${stateFolder(request.app)}/current/starts/${candidate.container}`;
}

export async function withdrawPermission(tx: Transaction): Promise<void> {
  if (tx.request.traffic.strategy !== "recreate") return;
  await mutateByGuard(tx, [], ["forbid", permits(tx), tx.candidate.container]);
}

/** Ends the live release. From here until the candidate is healthy, or the live release is back, nothing is served. */
export async function standAside(tx: Transaction): Promise<void> {
  const { current } = tx.scene;
  if (!current) return;
  tx.candidate.darkSince = tx.clock.now();
  await mutateByGuard(tx, [], ["stand-aside", current.slot, current.container, String(current.stopTimeout)]);
  tx.log.info(`${current.container} is stopped: nothing is served until ${tx.candidate.id} is healthy.`);
}

/** Says how long nothing was served. */
export function servesAgain({ candidate, clock, log }: Transaction, release: string): void {
  if (candidate.darkSince === undefined) return;
  log.info(
    `Nothing was served for ${((clock.now() - candidate.darkSince) / 1000).toFixed(2)} s; ${release} serves now.`,
  );
  candidate.darkSince = undefined;
}
