import { appNetwork, inspected, proxyContainer } from "../host/containers";
import { DeedFailed } from "../host/guard/failures";
import type { Host } from "../host/host";
import { otherSlot, renderConfig, renderMap, type Seat, type Slot } from "../host/proxy/config";
import { proxyBody } from "../host/proxy/container";
import { UserError } from "../user-error";
import { GateError } from "./failure";
import { NO_RELEASE } from "./naming";
import type { ReleaseRecord } from "./record";
import { type Entry, mutate, seconds, type Transaction } from "./transaction";

const b64 = (content: string): string => Buffer.from(content).toString("base64");
const seatOf = (record: ReleaseRecord): Seat => ({ slot: record.slot, container: record.container, port: record.port });

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
  const { request, scene, host, guard, log } = tx;
  const name = proxyContainer(request.app);
  const proxy = scene.proxy;
  if (proxy?.State.Running) {
    if (proxy.Config.Image !== request.traffic.proxyImage) {
      log.info(
        `The proxy stays on ${proxy.Config.Image}; this version does not move a running proxy to ${request.traffic.proxyImage}.`,
      );
    }
    return;
  }
  if (!scene.current) await writeNoRelease(tx);
  else
    log.warning(
      `The proxy "${name}" was ${proxy ? "stopped" : "removed"} by hand. It is put back with ${scene.current.release}.`,
    );
  const repair = scene.current !== undefined;
  const start = async () => {
    if (!proxy)
      await host.docker.createContainer(proxyBody({ ...proxySpec(tx), dockerGroup: guard.facts.dockerGroup }));
    await startProxy(tx, name);
  };
  if (repair || proxy) await mutate(tx, [], start);
  else await mutate(tx, [["remove", name, "5"]], start);
  await waitForProxy(tx);
}

const proxySpec = ({ request, name }: Transaction) => ({
  app: request.app,
  image: request.traffic.proxyImage,
  httpPort: request.traffic.httpPort,
  transaction: name,
});

async function startProxy(tx: Transaction, name: string): Promise<void> {
  try {
    await tx.host.docker.getContainer(name).start();
  } catch (cause) {
    const message = (cause as Error).message;
    if (!/port is already allocated|address already in use/i.test(message)) throw cause;
    throw new UserError(
      `http-port: port ${tx.request.traffic.httpPort} of the host is held by something outside Docker. Stop it (sudo ss -ltnp) or choose another http-port.`,
      { cause },
    );
  }
}

async function waitForProxy(tx: Transaction): Promise<void> {
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
async function writeNoRelease(tx: Transaction): Promise<void> {
  const versions = { blue: NO_RELEASE, green: NO_RELEASE };
  await tx.guard.do("write", `releases/${NO_RELEASE}/haproxy.cfg`, b64(renderConfig(tx.request.traffic, undefined)));
  await tx.guard.do("write", `releases/${NO_RELEASE}/slots.map`, b64(renderMap(versions)));
  await tx.guard.do("begin-with", NO_RELEASE);
}

/** Settings that only a reload can change (timeouts, the header's name) are given to the live release first; most deploys change none. */
export async function applySettings(tx: Transaction): Promise<void> {
  const { current } = tx.scene;
  if (!current) return;
  const wanted = renderConfig(tx.request.traffic, seatOf(current));
  if (wanted === tx.scene.liveConfig) return;
  tx.log.info("The proxy's settings change: it is reloaded once, before the candidate starts.");
  await mutate(tx, [["config", current.release]], async () => {
    await tx.guard.retire("config", current.release);
    await tx.guard.do("write", `releases/${current.release}/haproxy.cfg.next`, b64(wanted));
    await tx.guard.do("apply", current.release);
  });
}

export const candidateSlot = (current: ReleaseRecord | undefined): Slot => (current ? otherSlot(current.slot) : "blue");

/** Writes the candidate's own configuration; it becomes the proxy's at the commit, by the rename. */
export async function writeCandidateConfig(tx: Transaction): Promise<void> {
  const { candidate, request, scene, guard } = tx;
  const seat = { slot: candidate.slot, container: candidate.container, port: candidate.port };
  const versions = {
    [candidate.slot]: request.version,
    [otherSlot(candidate.slot)]: scene.current?.version ?? NO_RELEASE,
  };
  await Promise.all([
    guard.do("write", `releases/${candidate.id}/haproxy.cfg`, b64(renderConfig(request.traffic, seat))),
    guard.do("write", `releases/${candidate.id}/slots.map`, b64(renderMap(versions as Record<Slot, string>))),
  ]);
  try {
    await guard.do("check", candidate.id);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    tx.log.quote(cause.detail);
    throw new GateError("proxy", "The proxy refuses the candidate's configuration (above). Nothing was shifted.", {
      cause,
    });
  }
}

/** The candidate takes the empty slot, checked but without traffic. */
export async function fillSlot(tx: Transaction): Promise<void> {
  const { candidate, request } = tx;
  // recreate: nothing serves while the candidate drains, so what is in flight there is the app's to finish as it ends
  const wayBack: Entry =
    request.traffic.strategy === "recreate"
      ? ["maint", candidate.slot]
      : ["vacate", candidate.slot, seconds(request.traffic.drainTimeout)];
  await mutate(tx, [wayBack], () =>
    order(tx, "fill", candidate.slot, candidate.container, candidate.address, String(candidate.port), request.version),
  );
}

/** A deed at the proxy. @throws {GateError} when the proxy doesn't take it */
async function order(tx: Transaction, ...deed: readonly string[]): Promise<void> {
  try {
    await tx.guard.do(...deed);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    const name = proxyContainer(tx.request.app);
    throw new GateError(
      "shift",
      `The proxy "${name}" did not take "${deed[0]} ${deed[1]}": ${cause.detail.trim() || "it does not answer"}. Does it run? (docker ps, docker logs ${name})`,
      { cause },
    );
  }
}

/** Waits until the proxy itself reaches the candidate at its inspected address, by a check that began after the slot was filled. */
async function waitForSlot(tx: Transaction): Promise<void> {
  const { candidate } = tx;
  const deadline = tx.clock.now() + 15_000;
  let seen = "nothing";
  while (tx.clock.now() < deadline) {
    const slot = (await tx.host.proxy(tx.request.app).slots()).find((state) => state.slot === candidate.slot);
    if (
      slot?.up &&
      slot.admin === "drain" &&
      slot.address === candidate.address &&
      slot.container === candidate.container
    )
      return;
    seen = slot
      ? `${slot.container} at ${slot.address || "no address"}, ${slot.up ? "up" : "down"}, ${slot.admin}`
      : "no such slot";
    await tx.clock.sleep(50, tx.stop.signal);
  }
  throw new GateError(
    "shift",
    `The proxy does not reach ${candidate.container} at ${candidate.address}:${candidate.port}; it sees ${seen}. Nothing was shifted.`,
  );
}

/** All traffic to the candidate, once the proxy reaches it, in one pass of the proxy's loop; the live release stays, drained, for the way back. */
export async function shift(tx: Transaction): Promise<void> {
  const { current } = tx.scene;
  const blueGreen = tx.request.traffic.strategy === "blue-green"; // else it is stopped, and `resume` is on disk
  const undo = current && blueGreen ? ([["ready", current.slot, current.container]] as const) : [];
  const deed = () => order(tx, "shift", tx.candidate.slot, current ? current.slot : "none");
  await mutate(tx, undo, deed, () => waitForSlot(tx));
}

/** The proxy sends its traffic to this release's container, and only there. */
export async function servesThrough(host: Host, app: string, record: ReleaseRecord): Promise<boolean> {
  const container = await inspected(host.docker, record.container);
  const address = Object.values(container?.NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress);
  if (!container?.State.Running || container.HostConfig.RestartPolicy?.Name !== "always") return false;
  const slots = await host
    .proxy(app)
    .slots()
    .catch(() => []);
  return (
    slots.every((slot) =>
      slot.slot === record.slot
        ? slot.admin === "ready" && slot.up && address.includes(slot.address)
        : slot.admin !== "ready",
    ) && slots.length === 2
  );
}
