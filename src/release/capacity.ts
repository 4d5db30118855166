import type { Host } from "../host/host";
import type { Layer } from "../host/registry";
import { UserError } from "../user-error";
import type { DeployRequest, Strategy } from "./request";
import type { Scene } from "./scene";
import { layersOf, type Scout } from "./scout";

const MARGIN = 500 * 1024 * 1024;
const UNPACKED = 2.5; // of the compressed size; the registry doesn't know the true one

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MB`;

/** @throws {UserError} when the image would not fit, before anything is pulled. */
export async function checkDisk(request: DeployRequest, scene: Scene, scout: Scout, free: number): Promise<void> {
  const wanted = request.safety.minFreeDisk;
  const fits = (bytes: number) => free >= (wanted === "auto" ? bytes * UNPACKED + MARGIN : wanted);
  let fetched = wanted === "auto" && !scene.imagePresent ? await sizeOf(scene, scout) : 0;
  if (!fits(fetched) && fetched > 0) fetched = await notShared(request, scene, scout);
  if (fits(fetched)) return;
  const needed = wanted === "auto" ? fetched * UNPACKED + MARGIN : wanted;
  const why =
    wanted === "auto"
      ? `the image's layers still to fetch, unpacked (about ${megabytes(fetched * UNPACKED)}), and 500 MB`
      : "min-free-disk";
  throw new UserError(
    `min-free-disk: ${megabytes(free)} are free in ${(await scout.info).DockerRootDir} on the host, but ${megabytes(needed)} are needed: ${why}. ` +
      "Nothing was pulled. Free space on the host (docker image prune, docker system df), or give it a larger volume.",
  );
}

const total = (layers: readonly Layer[]): number => layers.reduce((sum, { size }) => sum + size, 0);

/** Compressed bytes of all the image's layers. 0 where the registry won't tell. */
async function sizeOf(scene: Scene, scout: Scout): Promise<number> {
  const layers = await scout.layers;
  if (layers) return total(layers);
  scene.warnings.push("The registry did not say how large the image is: only 500 MB of free disk were asked for.");
  return 0;
}

/** The same without what the live release's image has too: asked for only where the whole does not fit. */
async function notShared(request: DeployRequest, scene: Scene, scout: Scout): Promise<number> {
  const { current } = scene;
  const present =
    current?.image === scene.image.name
      ? await layersOf(request, scout.host.dial, await scout.info, { name: current.image, digest: current.digest })
      : undefined;
  const here = new Set(present?.map(({ digest }) => digest));
  return total(((await scout.layers) ?? []).filter(({ digest }) => !here.has(digest)));
}

/**
 * Two releases run side by side for a while: the host needs room for what the live one uses, once more.
 *
 * @param limit of the candidate; @param free, used bytes, `used` by the live release
 */
export function memoryLacking(
  strategy: Strategy,
  limit: number | undefined,
  free: number,
  used: number,
): string | undefined {
  if (strategy === "recreate") return undefined;
  const needed = Math.min(used, limit || Number.POSITIVE_INFINITY);
  if (free >= needed) return undefined;
  return `The host has ${megabytes(free)} of memory free, but the live release uses ${megabytes(used)}, and a second one must run beside it for a while.`;
}

export async function memoryUsed(host: Host, container: string): Promise<number> {
  try {
    const stats = await host.docker.getContainer(container).stats({ stream: false, "one-shot": true });
    const { usage = 0, stats: detail } = stats.memory_stats;
    return usage - ((detail as { inactive_file?: number } | undefined)?.inactive_file ?? 0);
  } catch {
    return 0; // it does not run: nothing runs beside the candidate
  }
}
