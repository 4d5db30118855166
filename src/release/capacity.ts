import type { Guard } from "../host/guard/guard";
import type { Host } from "../host/host";
import { registryOf } from "../host/pull";
import { imageLayers } from "../host/registry";
import { UserError } from "../user-error";
import type { DeployRequest } from "./request";
import { architecture, type DockerInfo, type Scene } from "./scene";

const MARGIN = 500 * 1024 * 1024;
const UNPACKED = 2.5; // of the compressed size; the registry doesn't know the true one

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MB`;

/** @throws {UserError} when the image would not fit, before anything is pulled. */
export async function checkDisk(request: DeployRequest, scene: Scene, host: Host, guard: Guard): Promise<void> {
  const free = Number(await guard.do("space", scene.info.DockerRootDir)) * 1024;
  const wanted = request.safety.minFreeDisk;
  const fetched = wanted === "auto" && !scene.imagePresent ? await stillToFetch(request, scene, host) : 0;
  const needed = wanted === "auto" ? fetched * UNPACKED + MARGIN : wanted;
  if (free >= needed) return;
  const why =
    wanted === "auto"
      ? `the image's layers still to fetch, unpacked (about ${megabytes(fetched * UNPACKED)}), and 500 MB`
      : "min-free-disk";
  throw new UserError(
    `min-free-disk: ${megabytes(free)} are free in ${scene.info.DockerRootDir} on the host, but ${megabytes(needed)} are needed: ${why}. ` +
      "Nothing was pulled. Free space on the host (docker image prune, docker system df), or give it a larger volume.",
  );
}

/** Compressed bytes of the layers that the live release's image doesn't share. 0 where the registry won't tell. */
async function stillToFetch(request: DeployRequest, scene: Scene, host: Host): Promise<number> {
  const insecure = isInsecure(registryOf(scene.image.name), scene.info);
  const of = (name: string, digest: string) =>
    imageLayers(
      host.dial,
      { name, digest, architecture: architecture(scene.info) },
      request.image.credentials,
      insecure,
    ).catch(() => undefined);
  const [layers, present] = await Promise.all([
    of(scene.image.name, scene.image.digest),
    scene.current?.image === scene.image.name ? of(scene.current.image, scene.current.digest) : undefined,
  ]);
  if (!layers) {
    scene.warnings.push("The registry did not say how large the image is: only 500 MB of free disk were asked for.");
    return 0;
  }
  const here = new Set(present?.map(({ digest }) => digest));
  return layers.filter(({ digest }) => !here.has(digest)).reduce((sum, { size }) => sum + size, 0);
}

/** Registries that the host's Docker speaks plain HTTP to: those it is told to, and its own loopback. */
const isInsecure = (registry: string, { RegistryConfig }: DockerInfo): boolean =>
  RegistryConfig?.IndexConfigs?.[registry]?.Secure === false || /^(127\.|localhost(:|$)|\[::1\])/.test(registry);

/** Two releases run side by side for a while: the host needs room for what the live one uses, once more. */
export async function checkMemory(request: DeployRequest, scene: Scene, host: Host, free: number): Promise<void> {
  if (!scene.current || request.traffic.strategy === "recreate") return;
  const used = await memoryUsed(host, scene.current.container);
  const needed = Math.min(used, request.container.memory ?? Number.POSITIVE_INFINITY);
  if (free >= needed) return;
  throw new UserError(
    `The host has ${megabytes(free)} of memory free, but the live release uses ${megabytes(used)}, and a second one must run beside it for a while. ` +
      "Nothing was changed. Free memory on the host or use a larger instance.",
  );
}

async function memoryUsed(host: Host, container: string): Promise<number> {
  try {
    const stats = await host.docker.getContainer(container).stats({ stream: false, "one-shot": true });
    const { usage = 0, stats: detail } = stats.memory_stats;
    return usage - ((detail as { inactive_file?: number } | undefined)?.inactive_file ?? 0);
  } catch {
    return 0; // it does not run: nothing runs beside the candidate
  }
}
