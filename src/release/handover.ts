import type Docker from "dockerode";
import { inspected, LABEL, lastLogLines, proxyContainer } from "../host/containers";
import { DeedFailed } from "../host/guard/failures";
import { proxyBody, proxyCheckBody } from "../host/proxy/container";
import { UserError } from "../user-error";
import { GateError } from "./failure";
import { ADOPTED } from "./naming";
import { changesOf, portHeld, proxySpec, waitForProxy, writeNoRelease } from "./proxy";
import { FORMAT, type ReleaseRecord } from "./record";
import { servesAgain } from "./recreate";
import type { DeployRequest } from "./request";
import type { Handover } from "./scene";
import { type Entry, mutate, mutateByGuard, type Transaction, write } from "./transaction";

/*
 * The host's port changes hands: from a proxy of another image or port, or from a container made by hand (`adopt`), to the
 * proxy that this deploy makes. Docker gives a port to one container, so the holder ends before the other begins: as late
 * as can be, when the candidate has passed its gates, and under the journal (docs/adr/0011).
 */

/** More than most requests take, and little for those that are refused meanwhile. */
const PROXY_GRACE = 1;

export function handoverOfProxy(
  request: DeployRequest,
  proxy: Docker.ContainerInspectInfo | undefined,
): Handover | undefined {
  if (!proxy?.State.Running) return undefined;
  const changes = changesOf(request, proxy);
  if (changes.length === 0) return undefined;
  const why = `The proxy changes ${changes.join(" and ")}`;
  return { id: proxy.Id, name: proxy.Name.slice(1), why, grace: PROXY_GRACE, policy: "always", adopted: undefined };
}

const DOCKER_GRACE = 10; // what `docker stop` gives a container that says nothing else

/**
 * The container that `adopt` names, as the release before the first.
 *
 * @throws {UserError} when it is not there, does not serve at the port, or could not be brought back
 */
export async function handoverOfAdopted(request: DeployRequest, docker: Docker, proxy: unknown): Promise<Handover> {
  const { httpPort } = request.traffic;
  const name = request.safety.adopt;
  const found = await inspected(docker, name);
  const no = (why: string) => new UserError(`adopt: ${why} Nothing was changed.`);
  if (!found) throw no(`the host has no container "${name}". For a host without one, leave adopt empty.`);
  if (proxy)
    throw no(
      `the host has a proxy of "${request.app}" already. Remove it: docker rm -f ${proxyContainer(request.app)}.`,
    );
  if (found.Config.Labels?.[LABEL.app] !== undefined)
    throw no(`"${name}" was made by hello-devops; adopt is for a container made by hand.`);
  const holds = Object.values(found.NetworkSettings.Ports ?? {})
    .flatMap((bindings) => bindings ?? [])
    .some(({ HostPort }) => Number(HostPort) === httpPort);
  if (!found.State.Running || !holds)
    throw no(`"${name}" ${found.State.Running ? `does not publish port ${httpPort} (http-port)` : "does not run"}.`);
  if (found.HostConfig.AutoRemove)
    throw no(`"${name}" was started with --rm: once stopped it could not be brought back. Start it without --rm.`);
  const policy = policyOf(found);
  const { RepoDigests = [] } = await docker.getImage(found.Image).inspect();
  const record: ReleaseRecord = {
    format: FORMAT,
    release: ADOPTED,
    version: ADOPTED,
    image: found.Config.Image,
    digest: RepoDigests[0]?.split("@")[1] ?? found.Image,
    container: found.Id,
    adopted: name,
    slot: "blue",
    port: httpPort,
    fingerprint: "",
    stopTimeout: (found.Config as { StopTimeout?: number }).StopTimeout ?? DOCKER_GRACE,
    drainTimeout: 0,
    transaction: "",
    createdAt: found.Created,
    run: { id: undefined, attempt: 1, actor: "", url: "" },
  };
  const why = `"${name}" gives its port to the proxy`;
  return { id: found.Id, name, why, grace: record.stopTimeout, policy, adopted: record };
}

function policyOf({ HostConfig: { RestartPolicy } }: Docker.ContainerInspectInfo): string {
  const { Name = "", MaximumRetryCount = 0 } = RestartPolicy ?? {};
  if (Name === "") return "no";
  return MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name;
}

const nextProxy = (app: string): string => `${proxyContainer(app)}-next`;

/** Makes the next proxy, which waits, and writes down what is adopted. Its image takes what it is to be given, or it ends here. */
export async function prepareHandover(tx: Transaction, { adopted }: Handover): Promise<void> {
  const { request, host, scene } = tx;
  const name = nextProxy(request.app);
  if (!scene.current) await writeNoRelease(tx);
  const undo: Entry[] = [["remove", name, "1"]];
  if (adopted) undo.push(["forget", adopted.release]);
  await mutate(tx, undo, () => host.docker.createContainer(proxyBody({ ...proxySpec(tx), name, restart: "no" })));
  if (!adopted) return;
  await mutate(tx, [], () => write(tx, `releases/${adopted.release}/release.json`, JSON.stringify(adopted)));
}

/** Has the next proxy's image look at the candidate's configuration: once the port has changed hands it is too late. */
export async function checkWithNext(tx: Transaction): Promise<void> {
  const { docker } = tx.host;
  const name = `${proxyContainer(tx.request.app)}-check`;
  const body = proxyCheckBody({ ...proxySpec(tx), name }, tx.candidate.id);
  const container = await mutate(tx, [["remove", name, "0"]], () => docker.createContainer(body));
  await mutate(tx, [], () => container.start());
  const { StatusCode } = (await container.wait()) as { StatusCode: number };
  if (StatusCode !== 0) {
    tx.log.quote((await lastLogLines(docker, name)).join("\n"));
    throw new GateError(
      "proxy",
      `${tx.request.traffic.proxyImage} (proxy-image) refuses the candidate's configuration (above). Nothing was shifted.`,
    );
  }
  await mutate(tx, [], () => container.remove({ v: true, force: true }));
}

/** An app that can't run twice: the container made by hand ends before the candidate begins. */
export const endsFirst = ({ request, scene }: Transaction): boolean =>
  request.traffic.strategy === "recreate" && scene.handover?.adopted !== undefined;

/** The holder ends, and the next proxy begins, on what is committed; nothing is served in between. */
export async function takePort(tx: Transaction, { id, name, why, grace, policy, adopted }: Handover): Promise<void> {
  const { candidate, clock, log, request, scene } = tx;
  const until = adopted ? `${candidate.id} has the traffic` : "the proxy has the port";
  log.info(`${why}: ${name} is stopped, and nothing is served until ${until}.`);
  const served = candidate.darkSince === undefined;
  if (policy !== "always") await mutateByGuard(tx, [["policy", id, policy]], ["policy", id, "always"]);
  try {
    candidate.darkSince ??= clock.now();
    await mutateByGuard(tx, [["give-back", id]], ["take-port", id, String(grace)]);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    const port = request.traffic.httpPort;
    if (/address already in use|port is already allocated/i.test(cause.detail)) throw portHeld(port, cause);
    const who = adopted ? `"${name}"` : "the proxy before it";
    throw new GateError("shift", `The proxy could not take port ${port} from ${who}: ${cause.detail.trim()}.`, {
      cause,
    });
  }
  await waitForProxy(tx);
  if (served && scene.current) servesAgain(tx, scene.current.release);
}

/** What follows the commit: from here on Docker starts the proxy after a reboot, and not its holder. */
export const afterHandover = ({ request, scene: { handover } }: Transaction): readonly Entry[] =>
  handover
    ? [
        ["policy", proxyContainer(request.app), "always"],
        ["policy", handover.id, "no"],
        ["take-port", handover.id, String(handover.grace)],
        ...(handover.adopted ? [] : [["discard", handover.id] as const]),
      ]
    : [];
