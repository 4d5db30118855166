import type { Clock } from "../health/gate";
import { FolderAbsent } from "../host/guard/failures";
import type { Found, Guard, Turn } from "../host/guard/guard";
import type { Host } from "../host/host";
import type { Log } from "./log";

export interface Locked {
  readonly guard: Guard;
  readonly found: Found;
  /** another held the lock at first */
  readonly waited: boolean;
}

export interface LockRequest {
  readonly app: string;
  readonly transaction: string;
  readonly lease: number;
  readonly lockTimeout: number;
  readonly holder: string;
  readonly mode: "deploy" | "look";
}

export const rejectsOn = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** How a deploy takes its locks: one host after the other, each when it is its turn. */
export interface Queue {
  readonly turn: Turn;
  /** resolves when the host before it is locked */
  readonly before: Promise<unknown>;
  /** told once this host is locked */
  readonly locked: () => void;
}

/** Alone, nobody is waited for. */
export const alone = (turn: Turn): Queue => ({ turn, before: Promise.resolve(), locked: () => {} });

/** Starts the guard and waits for the app's lock; tells who holds it meanwhile. @throws {FolderAbsent} before the first deploy. */
export async function takeLock(
  host: Host,
  request: LockRequest,
  log: Log,
  clock: Clock,
  signal: AbortSignal,
  queue: Queue,
): Promise<Locked> {
  let waited = false;
  const guard = await host.guard({
    ...request,
    onHeld: (holder) => {
      waited = true;
      log.info(
        `Another deploy of "${request.app}" holds the lock: ${holder || "unknown"}. Waiting up to ${request.lockTimeout / 1000} s.`,
      );
    },
    onEvent: (line) => log.debug(`guard: ${line}`),
    now: clock.now,
  });
  await Promise.race([queue.before, guard.refused, rejectsOn(signal)]);
  await guard.lock(queue.turn, request.lockTimeout, signal);
  queue.locked();
  const found = await guard.ready(signal);
  if (found.recovered === "undone") log.info("An earlier deploy had died here; the guard took it back.");
  if (found.recovered === "finished") log.info("An earlier deploy had died after its commit; the guard finished it.");
  return { guard, found, waited };
}

/** Makes the app's folder on a host, whose Docker can be used. */
export type MakeHome = (host: Host, dockerGroup: string, log: Log, signal: AbortSignal) => Promise<void>;

/** Takes the lock; on the first deploy the app's folder is made on the host before that. @throws {FolderAbsent} where nobody makes it */
export async function takeOrMakeLock(
  host: Host,
  lock: LockRequest,
  makeHome: MakeHome | undefined,
  log: Log,
  clock: Clock,
  signal: AbortSignal,
  queue: Queue,
): Promise<Locked> {
  try {
    return await takeLock(host, lock, log, clock, signal, queue);
  } catch (error) {
    if (!(error instanceof FolderAbsent) || !makeHome) throw error;
    await host.engine.greet(); // a Docker that can't be used is told before anything is made
    await makeHome(host, error.facts.dockerGroup, log, signal);
    return takeLock(host, lock, log, clock, signal, queue);
  }
}
