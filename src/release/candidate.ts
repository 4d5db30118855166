import type Docker from "dockerode";
import { appNetwork, createBody, inspected, lastLogLines, onlyPort } from "../host/containers";
import { DeedFailed } from "../host/guard/failures";
import { UserError } from "../user-error";
import { GateError } from "./failure";
import { NO_RELEASE } from "./naming";
import { called, FORMAT, type ReleaseRecord } from "./record";
import { permissionOf } from "./recreate";
import type { DeployRequest } from "./request";
import { recordedTerms } from "./terms";
import { writeCandidateConfig } from "./traffic";
import { type Entry, mutate, seconds, type Transaction, write } from "./transaction";

/** The command of `pre-deploy`: once, in the new image with the new env, before any traffic. What it changed elsewhere (a migration) is not taken back. */
export async function preDeploy(tx: Transaction, request: DeployRequest): Promise<void> {
  const { candidate, host, log } = tx;
  const hook = request.preDeploy;
  if (!hook) return;
  const name = `${candidate.container}-pre`.slice(0, 63);
  const body = createBody({ ...specOf(tx, request), name, role: "pre-deploy", command: hook.command });
  const container = await mutate(tx, [["remove", name, "10"]], () => host.docker.createContainer(body));
  await joinNetwork(tx, request, name);
  await mutate(tx, [], () => container.start());
  const ended = await within(hook.timeout, container.wait() as Promise<{ StatusCode: number }>, tx.stop.signal);
  const lines = await lastLogLines(host.docker, name);
  log.quote(lines.join("\n"));
  if (!ended)
    throw new GateError(
      "pre-deploy",
      `pre-deploy did not end within ${hook.timeout / 1000} s (pre-deploy-timeout). ${still(tx)}`,
    );
  if (ended.StatusCode !== 0) {
    throw new GateError(
      "pre-deploy",
      `pre-deploy ended with exit status ${ended.StatusCode}; its output is above. ${still(tx)}`,
    );
  }
  await mutate(tx, [], () => container.remove({ v: true, force: true }));
}

/** Creates the candidate. What takes back whatever comes before its start is on disk, too: it is undone after the candidate is gone. */
export async function createCandidate(
  tx: Transaction,
  request: DeployRequest,
  before: readonly Entry[] = [],
): Promise<void> {
  const { candidate, host } = tx;
  const image = pulledImage(tx); // asked while the entries are written
  image.catch(() => {});
  const last = request.safety.keepFailed ? "keep" : "remove";
  const undo: readonly Entry[] = [
    ["forget", candidate.id],
    ...before,
    [last, candidate.container, seconds(request.container.stopTimeout)],
  ];
  await mutate(tx, undo, async () => {
    candidate.port = portOf(tx, request, await image);
    const permission = await permissionOf(tx);
    await host.docker.createContainer(createBody({ ...specOf(tx, request), permission }));
  });
  candidate.created = true;
  await joinNetwork(tx, request, candidate.container);
}

/** Docker answers a question about a container that is being started once it has: that saves a round trip. */
const ASK_BESIDE = 25; // milliseconds; before the start is in hand the answer would be the old one

/** Starts the candidate, and watches for its end from then on. What takes its start back is on disk before. */
export async function startCandidate(tx: Transaction): Promise<void> {
  const { candidate, request, host } = tx;
  const container = host.docker.getContainer(candidate.container);
  const inspect = () => container.inspect();
  const early = await mutate(tx, [], async () => {
    const asked = tx.clock.sleep(ASK_BESIDE, tx.stop.signal).then(inspect);
    const [looked] = await Promise.all([asked.catch(() => undefined), container.start().catch(notStarted(tx))]);
    return looked;
  });
  candidate.created = true;
  watchForItsEnd(tx);
  const started = early?.State.Running ? early : await inspect();
  candidate.startedAt = started.State.StartedAt;
  candidate.address = started.NetworkSettings.Networks[appNetwork(request.app)]?.IPAddress ?? "";
  tx.stop.signal.throwIfAborted();
  if (!candidate.address) throw await itsEnd(tx);
}

/** Its folder on the host: its record, its proxy configuration, and what permits Docker to start it. */
export async function writeRelease(tx: Transaction): Promise<void> {
  const { candidate, request } = tx;
  try {
    await Promise.all([
      writeCandidateConfig(tx),
      write(tx, `releases/${candidate.id}/release.json`, JSON.stringify(recordOf(tx))),
      ...(request.traffic.strategy === "recreate" ? [tx.guard.do("permit", candidate.id, candidate.container)] : []),
    ]);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    const why = `The host could not write the candidate's files: ${cause.detail.trim()}. ${still(tx)}`;
    throw new GateError(tx.scene.kept ? "bake" : "start", why, { cause });
  }
}

const notStarted = (tx: Transaction) => (cause: Error & { statusCode?: number }) => {
  if (cause.statusCode === 304) return; // one that came back runs already: somebody started it by hand
  throw new GateError(
    "start",
    `The candidate's container could not be started: ${cause.message.trim()}. ${still(tx)}`,
    { cause },
  );
};

const specOf = ({ candidate, scene, name }: Transaction, request: DeployRequest) => ({
  name: candidate.container,
  app: request.app,
  release: candidate.id,
  transaction: name,
  role: "app" as const,
  image: scene.reference,
  command: request.container.command,
  options: request.container,
  sealKey: candidate.key,
});

/** A pull whose stream was cut looks whole; the image itself does not. */
async function pulledImage({ host, scene }: Transaction): Promise<Docker.ImageInspectInfo> {
  try {
    return await host.docker.getImage(scene.reference).inspect();
  } catch (cause) {
    if ((cause as { statusCode?: number }).statusCode !== 404) throw cause;
    throw new GateError("pull", `${scene.reference} is not on the host after its pull. Run this deploy again.`, {
      cause,
    });
  }
}

function portOf({ scene }: Transaction, request: DeployRequest, image: Docker.ImageInspectInfo): number {
  const port = request.container.port ?? onlyPort(image);
  if (port) return port;
  throw new UserError(
    `port: the image ${scene.reference} does not EXPOSE exactly one TCP port. Say which one the app listens on, for example port: 5000.`,
  );
}

async function joinNetwork({ host }: Transaction, request: DeployRequest, name: string): Promise<void> {
  if (request.container.network) await host.docker.getNetwork(request.container.network).connect({ Container: name });
}

/** Docker's own word that it has ended: noticed at once, whatever the gate waits for. */
function watchForItsEnd(tx: Transaction): void {
  const ended = async () => {
    if (!tx.stop.signal.aborted) tx.stop.abort(await itsEnd(tx));
  };
  tx.host.docker.getContainer(tx.candidate.container).wait({ condition: "not-running" }).then(ended, ended);
}

async function itsEnd(tx: Transaction): Promise<Error> {
  try {
    const state = (await inspected(tx.host.docker, tx.candidate.container))?.State;
    if (state?.Running) return new Error("the host's Docker ended the watch over the candidate");
    if (!state)
      return new GateError(
        "start",
        `The candidate's container ${tx.candidate.container} was removed by somebody. ${still(tx)}`,
      );
    const how = state.OOMKilled ? "was killed: out of memory (memory)" : `ended with exit status ${state.ExitCode}`;
    return new GateError("start", `The candidate ${how}${state.Error ? ` (${state.Error})` : ""}. ${still(tx)}`);
  } catch (cause) {
    return new Error("the host's Docker no longer answers", { cause });
  }
}

/** The end of a failure's sentence: what serves. */
export const still = ({ scene }: Pick<Transaction, "scene">): string =>
  scene.previous ? `${called(scene.previous)} still serves.` : "Nothing was served before, and nothing is now.";

function recordOf(tx: Transaction): ReleaseRecord {
  const { candidate, request, scene } = tx;
  if (scene.kept) {
    const terms = scene.kept.terms && { ...scene.kept.terms, traffic: request.traffic }; // the proxy may be another one
    return { ...scene.kept, slot: candidate.slot, transaction: tx.name, run: request.run, ...(terms ? { terms } : {}) };
  }
  return {
    format: FORMAT,
    release: candidate.id,
    version: request.version,
    image: scene.image.name,
    digest: scene.image.digest,
    container: candidate.container,
    slot: candidate.slot,
    port: candidate.port,
    fingerprint: scene.fingerprint,
    stopTimeout: Number(seconds(request.container.stopTimeout)),
    drainTimeout: Number(seconds(request.traffic.drainTimeout)),
    transaction: tx.name,
    createdAt: new Date().toISOString(),
    run: request.run,
    previous: scene.previous?.release ?? NO_RELEASE,
    terms: recordedTerms(request, candidate.key),
  };
}

/** undefined = the time ran out first */
async function within<T>(limit: number, what: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve, reject) => {
    timer = setTimeout(() => resolve(undefined), limit);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return await Promise.race([what, over]);
  } finally {
    clearTimeout(timer);
    over.catch(() => {});
  }
}
