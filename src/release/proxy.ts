import type Docker from "dockerode";
import { appNetwork, proxyContainer } from "../host/containers";
import { renderConfig, renderMap } from "../host/proxy/config";
import { proxyBody } from "../host/proxy/container";
import { UserError } from "../user-error";
import { GateError } from "./failure";
import { NO_RELEASE } from "./naming";
import type { Terms } from "./request";
import { mutate, type Transaction, write } from "./transaction";

/** The app's own network: two apps on a host share nothing. */
export async function ensureNetwork(tx: Transaction): Promise<void> {
  const name = appNetwork(tx.request.app);
  if (tx.scene.network) return;
  await mutate(tx, [["network", name]], () =>
    tx.host.docker.createNetwork({ Name: name, CheckDuplicate: true, Labels: { "hello-devops.app": tx.request.app } }),
  );
}

/** The first deploy makes the proxy, under the journal. One that was stopped or removed by hand is put back for good: the committed release is to serve. */
export async function ensureProxy(tx: Transaction): Promise<void> {
  const { request, scene, host, log } = tx;
  const name = proxyContainer(request.app);
  if (scene.proxy?.State.Running) return;
  if (!scene.current) await writeNoRelease(tx);
  else
    log.warning(
      `The proxy "${name}" was ${scene.proxy ? "stopped" : "removed"} by hand. It is put back with ${scene.current.release}.`,
    );
  const proxy = await unlessOutdated(tx);
  const repair = scene.current !== undefined;
  const start = async () => {
    if (!proxy) await host.docker.createContainer(proxyBody(proxySpec(tx)));
    await startProxy(tx, name);
  };
  if (repair || proxy) await mutate(tx, [], start);
  else await mutate(tx, [["remove", name, "5"]], start);
  await waitForProxy(tx);
}

/** Nobody is served by a stopped proxy: one of another image or port is made anew. */
async function unlessOutdated(tx: Transaction) {
  const { proxy } = tx.scene;
  if (!proxy || changesOf(tx.request, proxy).length === 0) return proxy;
  await mutate(tx, [], () => tx.host.docker.getContainer(proxy.Id).remove({ v: true, force: true }));
  return undefined;
}

async function startProxy(tx: Transaction, name: string): Promise<void> {
  try {
    await tx.host.docker.getContainer(name).start();
  } catch (cause) {
    const message = (cause as Error).message;
    if (!/port is already allocated|address already in use/i.test(message)) throw cause;
    throw portHeld(tx.request.traffic.httpPort, cause);
  }
}

export async function waitForProxy(tx: Transaction): Promise<void> {
  const deadline = tx.clock.now() + 15_000;
  let last: unknown;
  while (tx.clock.now() < deadline) {
    try {
      await tx.host.proxy(tx.request.app).slots();
      return;
    } catch (error) {
      last = error;
    }
    await tx.clock.sleep(50, tx.stop.signal);
  }
  throw new GateError(
    "proxy",
    `The proxy did not start within 15 s: ${(last as Error).message}. Look at: docker logs ${proxyContainer(tx.request.app)}`,
  );
}

/** What the proxy serves before any release is committed: nothing, by a configuration of its own. */
export async function writeNoRelease(tx: Transaction): Promise<void> {
  const versions = { blue: NO_RELEASE, green: NO_RELEASE };
  await write(tx, `releases/${NO_RELEASE}/haproxy.cfg`, renderConfig(tx.request.traffic, undefined));
  await write(tx, `releases/${NO_RELEASE}/slots.map`, renderMap(versions));
  await tx.guard.do("begin-with", NO_RELEASE);
}

/** What any proxy of this deploy is made of. */
export const proxySpec = ({ request, guard, name: transaction }: Transaction) => ({
  app: request.app,
  name: proxyContainer(request.app),
  image: request.traffic.proxyImage,
  httpPort: request.traffic.httpPort,
  dockerGroup: guard.facts.dockerGroup,
  restart: "always" as const,
  transaction,
});

/** In what a proxy is not the one that is asked for, as `from ... to ...`. */
export function changesOf({ traffic }: Pick<Terms, "traffic">, proxy: Docker.ContainerInspectInfo): readonly string[] {
  const changes: string[] = [];
  const { Image } = proxy.Config;
  if (Image !== traffic.proxyImage) changes.push(`from ${Image} to ${traffic.proxyImage}`);
  const published = proxy.HostConfig.PortBindings?.["80/tcp"]?.[0] as { HostPort?: string } | undefined;
  if (Number(published?.HostPort) !== traffic.httpPort)
    changes.push(`from port ${published?.HostPort} to ${traffic.httpPort}`);
  return changes;
}

export const portHeld = (port: number, cause: unknown): UserError =>
  new UserError(
    `http-port: port ${port} of the host is held by something outside Docker. Stop it (sudo ss -ltnp) or choose another http-port.`,
    { cause },
  );
