import type Docker from "dockerode";
import { inspected, LABEL, proxyContainer } from "../host/containers";
import type { Found, Guard } from "../host/guard/guard";
import type { Host } from "../host/host";
import { isPresent, type ResolvedImage, resolveImage } from "../host/pull";
import { UserError } from "../user-error";
import { checkDisk, checkMemory } from "./capacity";
import { fingerprint, isNone, releaseId } from "./naming";
import { type HistoryLine, parseReleases, type ReleaseRecord } from "./record";
import type { DeployRequest } from "./request";
import { architecture, type DockerInfo, type Scene } from "./scene";

/**
 * Looks at the host, and at the image as the host sees it.
 *
 * @param tell hears what is committed as soon as it is known, so that a refusal can say what serves
 * @throws {UserError} when the host can't take this deploy; nothing was changed.
 */
export async function preflight(
  request: DeployRequest,
  host: Host,
  guard: Guard,
  found: Found,
  tell: (current: ReleaseRecord | undefined) => void,
): Promise<Scene> {
  const { docker } = host;
  const resolving = resolveImage(docker, request.image);
  resolving.catch(() => {}); // reported below, after what the host itself has to say
  const [info, releases, history, containers, proxy] = await Promise.all([
    docker.info() as Promise<DockerInfo>,
    guard.read("releases").then(parseReleases),
    guard.read("read", "history"),
    docker.listContainers({ all: true }),
    inspected(docker, proxyContainer(request.app)),
    host.connection.requireForwarding(),
  ]);
  const current = committedRecord(request, releases, found);
  tell(current);
  refuseOlderRun(request, lastRun(history, current));
  refuseForeignPort(request, containers, proxy);
  if (request.container.network) await checkNetwork(docker, request.container.network);
  const image = await resolving;
  checkArchitecture(info, image);
  const reference = `${image.name}@${image.digest}`;
  const scene = {
    info,
    image,
    reference,
    imagePresent: await isPresent(docker, reference),
    releases,
    current,
    proxy,
    id: newId(request, releases, containers),
    fingerprint: fingerprint(request),
    warnings: [] as string[],
  };
  await checkDisk(request, scene, host, guard);
  await checkMemory(request, scene, host, guard.facts.memoryFree);
  if (request.run.id === undefined) {
    scene.warnings.push("No run id (GITHUB_RUN_ID): nothing tells whether this run is older than the live one.");
  }
  return scene;
}

function committedRecord(request: DeployRequest, releases: readonly ReleaseRecord[], found: Found) {
  const current = releases.find(({ release }) => release === found.current);
  if (current || isNone(found.current)) return current;
  throw new UserError(
    `The host says that "${found.current}" is committed, but its release.json is missing. Look at /var/lib/hello-devops/${request.app}.`,
  );
}

function newId(
  request: DeployRequest,
  releases: readonly ReleaseRecord[],
  containers: readonly Docker.ContainerInfo[],
) {
  const names = new Set(containers.flatMap(({ Names }) => Names.map((name) => name.slice(1))));
  const taken = (id: string) => releases.some(({ release }) => release === id) || names.has(`${request.app}-${id}`);
  return releaseId(request.version, taken);
}

function checkArchitecture(info: DockerInfo, image: ResolvedImage): void {
  const mine = architecture(info);
  if (image.architectures.length === 0 || image.architectures.includes(mine)) return;
  throw new UserError(
    `image: ${image.name}@${image.digest} is for linux/${image.architectures.join(", linux/")}, but the host is linux/${mine}. Build it for linux/${mine} (build's "platforms").`,
  );
}

interface RunOrder {
  readonly id: number | undefined;
  readonly attempt: number;
  readonly url: string;
  readonly release: string;
}

function lastRun(history: string, current: ReleaseRecord | undefined): RunOrder | undefined {
  const last = history.trim().split("\n").at(-1);
  if (last) {
    const line = JSON.parse(last) as HistoryLine;
    return { ...line.run, release: line.release };
  }
  return current ? { ...current.run, release: current.release } : undefined;
}

function refuseOlderRun(request: DeployRequest, last: RunOrder | undefined): void {
  const { run, safety } = request;
  if (safety.allowOlder || last?.id === undefined || run.id === undefined) return;
  if (run.id > last.id || (run.id === last.id && run.attempt >= last.attempt)) return;
  throw new UserError(
    `Run ${run.id} (attempt ${run.attempt}) is older than run ${last.id} (attempt ${last.attempt}), which put ${last.release} on the host. ` +
      "Deploying it would go backwards. To go back on purpose, set allow-older: true, or deploy an older digest from a new run.",
  );
}

/** The host's port belongs to this app's proxy, or to nobody. */
function refuseForeignPort(
  request: DeployRequest,
  containers: readonly Docker.ContainerInfo[],
  proxy: Docker.ContainerInspectInfo | undefined,
): void {
  const { httpPort } = request.traffic;
  const holder = containers.find(({ State, Ports, Labels }) => {
    const mine = Labels[LABEL.app] === request.app && Labels[LABEL.role] === "proxy";
    return State === "running" && !mine && Ports.some(({ PublicPort }) => PublicPort === httpPort);
  });
  if (holder) {
    const name = holder.Names[0]?.slice(1);
    const other = holder.Labels[LABEL.app];
    throw new UserError(
      `http-port: port ${httpPort} of the host is held by the container "${name}" (${holder.Image})${other ? `, the proxy of the app "${other}"` : ""}. ` +
        (other
          ? "Give each app on a host an http-port of its own."
          : `Stop it (docker rm -f ${name}) or choose another http-port; nothing was changed.`),
    );
  }
  const published = proxy?.HostConfig.PortBindings?.["80/tcp"]?.[0] as { HostPort?: string } | undefined;
  if (published?.HostPort && Number(published.HostPort) !== httpPort) {
    throw new UserError(
      `http-port: the proxy of "${request.app}" listens on port ${published.HostPort}, and this version cannot move it to ${httpPort}. ` +
        `Set http-port: ${published.HostPort}, or deploy under another app name.`,
    );
  }
}

async function checkNetwork(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getNetwork(name).inspect();
  } catch (cause) {
    throw new UserError(
      `network: the host has no Docker network "${name}". Make it first: docker network create ${name}.`,
      { cause },
    );
  }
}
