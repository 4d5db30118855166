import type Docker from "dockerode";
import { appNetwork, inspected, LABEL, proxyContainer } from "../host/containers";
import type { Found, Guard } from "../host/guard/guard";
import { hasDigest, isPresent, type ResolvedImage } from "../host/pull";
import { UserError } from "../user-error";
import { checkDisk, memoryLacking, memoryUsed } from "./capacity";
import { handoverOfAdopted, handoverOfProxy } from "./handover";
import { parseHistory } from "./history";
import { fingerprint, isNone, releaseId } from "./naming";
import { committedRecord, refuseOlderRun } from "./order";
import { parseReleases, type ReleaseRecord } from "./record";
import type { DeployRequest } from "./request";
import { architecture, type DockerInfo, type Handover, type Scene } from "./scene";
import type { Scout } from "./scout";

/**
 * Looks at the host, and at the image as the host sees it. All that needs the lock is asked at once.
 *
 * @param tell hears what is committed as soon as it is known, so that a refusal can say what serves
 * @throws {UserError} when the host can't take this deploy; nothing was changed.
 */
export async function preflight(
  request: DeployRequest,
  scout: Scout,
  guard: Guard,
  found: Found,
  tell: (current: ReleaseRecord | undefined) => void,
): Promise<Scene> {
  const { docker } = scout.host;
  const looking = look(request, scout, guard, found);
  const [info, releases, history, containers, proxy] = await Promise.all([
    scout.info,
    looking.releases,
    guard.read("read", "history").then(parseHistory),
    docker.listContainers({ all: true }),
    inspected(docker, proxyContainer(request.app)),
    scout.forwarding,
  ]);
  const current = committedRecord(request.app, releases, found);
  tell(current);
  const adopts = !current && request.safety.adopt;
  const handover = adopts ? await handoverOfAdopted(request, docker, proxy) : handoverOfProxy(request, proxy);
  const previous = current ?? handover?.adopted;
  tell(previous);
  if (!request.safety.allowOlder) refuseOlderRun(request.run, history, current, ALLOW_OLDER);
  refuseForeignPort(request, containers, handover);
  if (request.container.network) await checkNetwork(docker, request.container.network);
  const image = await scout.image;
  checkArchitecture(info, image);
  const scene = {
    image,
    reference: referenceTo(image),
    imagePresent: await looking.imagePresent,
    releases,
    current,
    previous,
    liveConfig: await looking.liveConfig,
    network: await looking.network,
    proxy,
    handover,
    id: newId(request, releases, containers),
    fingerprint: fingerprint(request),
    kept: undefined,
    history,
    warnings: [] as string[],
  };
  await checkDisk(request, scene, scout, (await looking.kibFree) * 1024);
  const { traffic, container } = request;
  const lacking =
    current && memoryLacking(traffic.strategy, container.memory, guard.facts.memoryFree, await looking.memoryUsed);
  if (lacking) throw new UserError(`${lacking} Nothing was changed. Free memory on the host or use a larger instance.`);
  if (request.run.id === undefined) {
    scene.warnings.push("No run id (GITHUB_RUN_ID): nothing tells whether this run is older than the live one.");
  }
  return scene;
}

const referenceTo = ({ name, digest }: ResolvedImage): string => `${name}@${digest}`;

/** Asked at once, told apart later: on a long wire each question after an answer is a round trip. */
function look({ app, image: asked }: DeployRequest, { host, info, image }: Scout, guard: Guard, found: Found) {
  const live = isNone(found.current) ? undefined : found.current;
  const answers = {
    releases: guard.read("releases").then(parseReleases),
    liveConfig: live ? guard.read("read", `releases/${live}/haproxy.cfg`) : Promise.resolve(""),
    kibFree: info.then(({ DockerRootDir }) => guard.do("space", DockerRootDir)).then(Number),
    imagePresent: asked.digest
      ? hasDigest(host.docker, asked)
      : image.then((resolved) => isPresent(host.docker, referenceTo(resolved))),
    network: networkIsThere(host.docker, appNetwork(app)),
    memoryUsed: live ? memoryUsed(host, `${app}-${live}`) : Promise.resolve(0),
  };
  for (const answer of Object.values(answers)) answer.catch(() => {}); // reported by whoever awaits it
  return answers;
}

export async function networkIsThere(docker: Docker, name: string): Promise<boolean> {
  const there = await docker.listNetworks({ filters: { name: [name] } });
  return there.some(({ Name }) => Name === name);
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

const ALLOW_OLDER =
  "Deploying it would go backwards. To go back on purpose, use rollback-ec2, or set allow-older: true.";

/** The host's port belongs to this app's proxy, or to nobody. */
function refuseForeignPort(
  request: DeployRequest,
  containers: readonly Docker.ContainerInfo[],
  handover: Handover | undefined,
): void {
  const { httpPort } = request.traffic;
  const holder = containers.find(({ Id, State, Ports, Labels }) => {
    const mine = Id === handover?.id || (Labels[LABEL.app] === request.app && Labels[LABEL.role] === "proxy");
    return State === "running" && !mine && Ports.some(({ PublicPort }) => PublicPort === httpPort);
  });
  if (holder) {
    const name = holder.Names[0]?.slice(1);
    const other = holder.Labels[LABEL.app];
    throw new UserError(
      `http-port: port ${httpPort} of the host is held by the container "${name}" (${holder.Image})${other ? `, the proxy of the app "${other}"` : ""}. ` +
        (other
          ? "Give each app on a host an http-port of its own."
          : `Let this deploy take its place (adopt: ${name}), stop it (docker rm -f ${name}) or choose another http-port; nothing was changed.`),
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
