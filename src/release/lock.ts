import type { Clock } from "../health/gate";
import { FolderAbsent } from "../host/guard/failures";
import type { Found, Guard, Turn } from "../host/guard/guard";
import type { Host } from "../host/host";
import { folderBody } from "../host/proxy/container";
import { isPresent, pullImage, registryOf } from "../host/pull";
import type { Log } from "./log";
import type { DeployRequest } from "./request";

export interface Locked {
  readonly guard: Guard;
  readonly found: Found;
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
  const guard = await host.guard({
    ...request,
    onHeld: (holder) =>
      log.info(
        `Another deploy of "${request.app}" holds the lock: ${holder || "unknown"}. Waiting up to ${request.lockTimeout / 1000} s.`,
      ),
    onEvent: (line) => log.debug(`guard: ${line}`),
    now: clock.now,
  });
  await Promise.race([queue.before, guard.refused, rejectsOn(signal)]);
  await guard.lock(queue.turn, request.lockTimeout, signal);
  queue.locked();
  const found = await guard.ready(signal);
  if (found.recovered === "undone") log.info("An earlier deploy had died here; the guard took it back.");
  if (found.recovered === "finished") log.info("An earlier deploy had died after its commit; the guard finished it.");
  return { guard, found };
}

/** Takes the lock; on the first deploy it makes the app's folder on the host before that. */
export async function takeOrMakeLock(
  host: Host,
  request: DeployRequest,
  lock: LockRequest,
  log: Log,
  clock: Clock,
  signal: AbortSignal,
  queue: Queue,
): Promise<Locked> {
  try {
    return await takeLock(host, lock, log, clock, signal, queue);
  } catch (error) {
    if (!(error instanceof FolderAbsent)) throw error;
    if (lock.mode === "look") throw error;
    await host.engine.greet(); // a Docker that can't be used is told before anything is made
    log.info(`First deploy of "${request.app}" on this host: its folder is made.`);
    await ensureProxyImage(host, request, log, signal);
    await makeFolder(host, request, error.facts.dockerGroup);
    return takeLock(host, lock, log, clock, signal, queue);
  }
}

/** Pulls the proxy's image unless it is there. The image's own login is used only at its own registry. */
export async function ensureProxyImage(
  host: Host,
  request: DeployRequest,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const image = request.traffic.proxyImage;
  if (await isPresent(host.docker, image)) return;
  log.info(`Pulling the proxy, ${image}.`);
  const same = registryOf(image) === registryOf(request.image.name);
  await pullImage(host.docker, image, same ? request.image.credentials : undefined, (line) => log.debug(line), signal);
  await host.docker.getImage(image).inspect();
}

async function makeFolder(host: Host, request: DeployRequest, dockerGroup: string): Promise<void> {
  const container = await host.docker.createContainer(folderBody(request.app, request.traffic.proxyImage, dockerGroup));
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0)
      throw new Error(`making /var/lib/hello-devops/${request.app} on the host ended with exit status ${StatusCode}`);
  } finally {
    await container.remove({ v: true, force: true }).catch(() => {});
  }
}
