// The app's registry, with a user and a password, and, where Docker Hub can't be reached, a mirror that plays it.
// Both are published on this machine's loopback, which every engine trusts without TLS; boxes forward the same
// loopback port to the registry, so that its address is one and the same everywhere.
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { debian, haproxy } from "./base-images";
import { type BedState, bedFolder, cacheName, dockerName, localImage, stateFolder, writeJson } from "./bed";
import { ensureImage } from "./build";
import { ensureContainer, ensureVolume } from "./containers";
import { mirrorAt, type Network, registryAt } from "./network";
import { docker, say } from "./run";

const image = localImage("registry");
const username = "bed";

export interface Registry {
  address: string;
  username: string;
  password: string;
  /** The environment in which `docker push` is logged in, without touching the user's own settings. */
  login: NodeJS.ProcessEnv;
}

export const ensureRegistryImage = (): Promise<string> =>
  ensureImage({ tag: image, context: join(bedFolder, "registry"), base: debian, owner: cacheName });

export async function ensureRegistry(bed: string, network: Network, state: BedState): Promise<Registry> {
  const password = state.password;
  const options = ["--env", `BED_USER=${username}`, "--env", `BED_PASSWORD=${password}`];
  const address = await serve(bed, "registry", network.at(registryAt), network, options);
  const folder = join(stateFolder(bed), "docker");
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  writeJson(join(folder, "config.json"), { auths: { [address]: { auth } } });
  return { address, username, password, login: { ...process.env, DOCKER_CONFIG: folder } };
}

/** Holds `library/haproxy`; returns what an engine's `registry-mirrors` wants. */
export async function ensureMirror(bed: string, network: Network): Promise<string> {
  await serve(bed, "hub", network.at(mirrorAt), network, []);
  return mirrorUrl(network);
}

export const mirrorUrl = (network: Network): string => `http://${network.at(mirrorAt)}:5000`;

export async function fillMirror(bed: string): Promise<void> {
  const address = `127.0.0.1:${await publishedPort(dockerName(bed, "hub"))}`;
  const path = haproxy.replace(":", "/manifests/");
  const accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
  const there = await fetch(`http://${address}/v2/library/${path}`, { method: "HEAD", headers: { accept } });
  if (there.ok) return;
  say(`pushing ${haproxy} to the bed's mirror of Docker Hub`);
  const name = `${address}/library/${haproxy}`;
  await docker(["tag", haproxy, name]);
  await docker(["push", "--quiet", name]);
  await docker(["rmi", "--no-prune", name]);
}

async function serve(bed: string, part: string, ip: string, network: Network, options: string[]): Promise<string> {
  const port = (await publishedPort(dockerName(bed, part))) ?? String(await freePort());
  const volume = await ensureVolume(bed, part);
  const fixed = ["--network", network.name, "--ip", ip, "--volume", `${volume}:/var/lib/docker-registry`, ...options];
  await ensureContainer({ bed, part, image, options: fixed, unstable: ["--publish", `127.0.0.1:${port}:5000`] });
  await untilServes(`http://127.0.0.1:${port}/v2/`);
  return `127.0.0.1:${port}`;
}

async function publishedPort(container: string): Promise<string | undefined> {
  const format = '{{(index (index .HostConfig.PortBindings "5000/tcp") 0).HostPort}}';
  return docker(["container", "inspect", "--format", format, container]).catch(() => undefined);
}

/** Not one of the ports that outgoing connections use: the registry must find it free after a restart. */
async function freePort(): Promise<number> {
  for (let port = 5401 + Math.floor(Math.random() * 400); port < 6000; port++) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error("No free port between 5401 and 6000 for the registry.");
}

async function untilServes(url: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (answer && (answer.ok || answer.status === 401)) return;
    await sleep(100);
  }
  throw new Error(`The registry at ${url} did not answer within 20 s.`);
}
