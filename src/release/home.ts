import type { Host } from "../host/host";
import { folderBody } from "../host/proxy/container";
import { type ImageRequest, isPresent, pullImage, registryOf } from "../host/pull";
import type { MakeHome } from "./lock";
import type { Log } from "./log";
import type { DeployRequest } from "./request";

/** Before the first deploy of an app to a host there is no folder for its state: the proxy's image makes it, as root. */
export const homeFor =
  (request: DeployRequest): MakeHome =>
  async (host, dockerGroup, log, signal) => {
    log.info(`First deploy of "${request.app}" on this host: its folder is made.`);
    await ensureProxyImage(host, request.traffic.proxyImage, request.image, log, signal);
    await makeFolder(host, request, dockerGroup);
  };

/** Pulls the proxy's image unless it is there. The app image's own login is used only at its own registry. */
export async function ensureProxyImage(
  host: Host,
  proxyImage: string,
  app: ImageRequest | undefined,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  if (await isPresent(host.docker, proxyImage)) return;
  log.info(`Pulling the proxy, ${proxyImage}.`);
  const credentials = app && registryOf(proxyImage) === registryOf(app.name) ? app.credentials : undefined;
  await pullImage(host.docker, proxyImage, credentials, (line) => log.debug(line), signal);
  await host.docker.getImage(proxyImage).inspect();
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
