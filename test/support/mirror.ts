import { dirname, join } from "node:path";
import { haproxy } from "../bed/base-images";
import type { Bed, BedHost } from "../bed/bed";
import { docker } from "../bed/run";

/** The proxy's image under another name: in the bed's registry, behind its password. */
export async function mirroredProxy(bed: Bed, host: BedHost): Promise<string> {
  const name = `${bed.registry.address}/mirror/haproxy:exact`;
  const login = { ...process.env, DOCKER_CONFIG: join(dirname(host.keyFile), "docker") };
  await docker(["tag", haproxy, name]);
  try {
    await docker(["push", "--quiet", name], { env: login });
  } finally {
    await docker(["rmi", "--no-prune", name]);
  }
  return name;
}
