import type { Clock } from "../health/gate";
import type { Guard } from "../host/guard/guard";
import type { Host } from "../host/host";
import type { Slot } from "../host/proxy/config";
import { entryOf, type HistoryLine } from "./history";
import type { Log } from "./log";
import { NO_RELEASE } from "./naming";
import type { Evidence } from "./outcome";
import { FORMAT } from "./record";
import type { ChangeRequest, Terms } from "./request";
import type { Scene } from "./scene";
import type { World } from "./world";

/** What tells a deploy to stop, on all of its hosts. */
export interface Stop {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/** A verb of the guard's fixed list and its names. */
export type Entry = readonly [verb: string, ...names: string[]];

/** One change of one host's release, once its guard holds the lock and its journal is open. */
export interface Transaction {
  readonly name: string;
  readonly request: ChangeRequest & Terms;
  readonly host: Host;
  readonly guard: Guard;
  readonly scene: Scene;
  readonly candidate: Candidate;
  /** how long the candidate is watched under all traffic before the commit: `bake-time`, or longer where an alarm needs it */
  readonly bakeTime: number;
  /** why a person asks for it; '' = they did not say */
  readonly reason: string;
  /** settles when the guard has opened its journal */
  readonly begun: Promise<unknown>;
  readonly log: Log;
  readonly clock: Clock;
  /** aborted by a cancel, a lost guard, the candidate's exit, and by another host's failure; its reason says which */
  readonly stop: Stop;
  readonly evidence: Evidence[];
  readonly conceal: World["conceal"];
}

export interface Candidate {
  readonly id: string;
  readonly container: string;
  readonly slot: Slot;
  /** known once it has started */
  address: string;
  /** by the host's clock, ISO 8601; one that comes back has a log of its earlier lives, too */
  startedAt: string;
  port: number;
  /** opens what its record seals; '' = nothing */
  readonly key: string;
  /** the candidate's container may have something to say */
  created: boolean;
  /** since when nothing serves, by the deploy's clock; only where the live release is stopped first */
  darkSince?: number | undefined;
}

/**
 * One call that registers what takes a mutation back and then does it: the entries are on the host's disk first, and the
 * guard has answered within half its lease.
 */
export async function mutate<T>(tx: Transaction, undo: readonly Entry[], deed: () => Promise<T>): Promise<T> {
  tx.stop.signal.throwIfAborted();
  await Promise.all([tx.begun, ...undo.map((entry) => tx.guard.undo(...entry))]);
  await tx.guard.hold();
  tx.stop.signal.throwIfAborted();
  return deed();
}

/**
 * The same for a deed of the guard. It takes one message after the other, and does nothing behind an entry that it could
 * not write: so entries and deed are sent at once, and nobody waits in between.
 *
 * @param retire what follows the commit, written down after the deed
 * @throws {DeedFailed} with what the host said
 */
export async function mutateByGuard(
  tx: Transaction,
  undo: readonly Entry[],
  deed: readonly string[],
  retire: readonly Entry[] = [],
): Promise<void> {
  tx.stop.signal.throwIfAborted();
  await tx.begun;
  await tx.guard.hold();
  tx.stop.signal.throwIfAborted();
  await Promise.all([
    ...undo.map((entry) => tx.guard.undo(...entry)),
    tx.guard.do(...deed),
    ...retire.map((entry) => tx.guard.hold().then(() => tx.guard.retire(...entry))),
  ]);
}

export const seconds = (milliseconds: number): string => String(Math.ceil(milliseconds / 1000));

/** A file of the state folder, whole and on disk before this resolves. */
export const write = (tx: Transaction, path: string, content: string): Promise<string> =>
  tx.guard.do("write", path, Buffer.from(content).toString("base64"));

/** This change as a line of the host's history, for a journal's entry. */
export const historyEntry = (
  { candidate, request, scene, name }: Pick<Transaction, "candidate" | "request" | "scene" | "name">,
  result: HistoryLine["result"],
  reason: string,
): string =>
  entryOf({
    format: FORMAT,
    transaction: name,
    release: candidate.id,
    version: request.version,
    digest: scene.image.digest,
    previous: scene.previous?.release ?? NO_RELEASE,
    result,
    reason,
    at: new Date().toISOString(),
    run: request.run,
  });

/** The first that fails stops the others; nothing is under way when this ends. */
export async function sideBySide(
  tx: Transaction,
  bodies: readonly ((tx: Transaction) => Promise<void>)[],
): Promise<void> {
  const ended = await Promise.allSettled(
    bodies.map(async (body) => {
      try {
        await body(tx);
      } catch (error) {
        tx.stop.abort(error);
        throw error;
      }
    }),
  );
  if (ended.some(({ status }) => status === "rejected")) throw tx.stop.signal.reason;
}
