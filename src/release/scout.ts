import type { Host } from "../host/host";
import { hasDigest, type ResolvedImage, registryOf, resolveImage, withoutTag } from "../host/pull";
import { type Dial, dialAhead, imageLayers, type Layer } from "../host/registry";
import type { DeployRequest } from "./request";
import { architecture, type DockerInfo } from "./scene";

/** What is asked as soon as there is a connection, beside the guard's start: nothing that another deploy changes. */
export interface Scout {
  readonly host: Host;
  readonly info: Promise<DockerInfo>;
  readonly image: Promise<ResolvedImage>;
  readonly forwarding: Promise<void>;
  /** of the image, where it is not on the host and its size matters; undefined = the registry would not say */
  readonly layers: Promise<readonly Layer[] | undefined>;
}

/** The preflight awaits each answer, and reports what went wrong. */
export function sendScout(request: DeployRequest, host: Host): Scout {
  const { docker } = host;
  host.engine.warm();
  const present = hasDigest(docker, request.image);
  const info = docker.info() as Promise<DockerInfo>;
  const image = resolveImage(docker, request.image, present);
  const layers = missingLayers(request, host, { info, image, present });
  const forwarding = host.connection.requireForwarding();
  for (const answer of [info, image, layers, forwarding]) answer.catch(() => {});
  return { host, info, image, layers, forwarding };
}

interface Asked {
  readonly info: Promise<DockerInfo>;
  readonly image: Promise<ResolvedImage>;
  readonly present: Promise<boolean>;
}

async function missingLayers(request: DeployRequest, host: Host, { info, image, present }: Asked) {
  if (request.safety.minFreeDisk !== "auto") return [];
  const ahead = dialAhead(host.dial, request.image.name);
  try {
    if (await present) return [];
    const digest = request.image.digest ?? (await image).digest;
    return await layersOf(request, ahead.dial, await info, { name: withoutTag(request.image.name), digest });
  } finally {
    ahead.close();
  }
}

/** undefined = the registry won't tell. */
export function layersOf(
  request: DeployRequest,
  dial: Dial,
  info: DockerInfo,
  image: { readonly name: string; readonly digest: string },
): Promise<readonly Layer[] | undefined> {
  const insecure = isInsecure(registryOf(image.name), info);
  const wanted = { ...image, architecture: architecture(info) };
  return imageLayers(dial, wanted, request.image.credentials, insecure).catch(() => undefined);
}

/** Registries that the host's Docker speaks plain HTTP to: those it is told to, and its own loopback. */
const isInsecure = (registry: string, { RegistryConfig }: DockerInfo): boolean =>
  RegistryConfig?.IndexConfigs?.[registry]?.Secure === false || /^(127\.|localhost(:|$)|\[::1\])/.test(registry);
