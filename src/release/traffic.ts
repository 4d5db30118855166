import { inspected, proxyContainer } from "../host/containers";
import { DeedFailed } from "../host/guard/failures";
import type { Host } from "../host/host";
import { otherSlot, renderConfig, renderMap, type Seat, type Slot } from "../host/proxy/config";
import { GateError } from "./failure";
import { checkWithNext } from "./handover";
import { NO_RELEASE } from "./naming";
import type { ReleaseRecord } from "./record";
import { type Entry, mutate, mutateByGuard, seconds, type Transaction, write } from "./transaction";

const seatOf = (record: ReleaseRecord): Seat => ({ slot: record.slot, container: record.container, port: record.port });

/** Settings that only a reload can change (timeouts, the header's name) are given to the live release first; most deploys change none. */
export async function applySettings(tx: Transaction): Promise<void> {
  const { current } = tx.scene;
  if (!current) return;
  const wanted = renderConfig(tx.request.traffic, seatOf(current));
  if (wanted === tx.scene.liveConfig) return;
  tx.log.info("The proxy's settings change: it is reloaded once, before the candidate starts.");
  await mutate(tx, [["config", current.release]], async () => {
    await tx.guard.retire("config", current.release);
    await write(tx, `releases/${current.release}/haproxy.cfg.next`, wanted);
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
    write(tx, `releases/${candidate.id}/haproxy.cfg`, renderConfig(request.traffic, seat)),
    write(tx, `releases/${candidate.id}/slots.map`, renderMap(versions as Record<Slot, string>)),
  ]);
  if (scene.handover) return checkWithNext(tx);
  try {
    await guard.do("check", candidate.id);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    tx.log.quote(cause.detail);
    throw new GateError(
      "proxy",
      "The proxy refuses the candidate's configuration (above); the release before it goes on.",
      {
        cause,
      },
    );
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
  const { slot, container, address, port } = candidate;
  await order(tx, [wayBack], "fill", slot, container, address, String(port), request.version);
}

/** A deed at the proxy. @throws {GateError} when the proxy doesn't take it */
async function order(tx: Transaction, undo: readonly Entry[], ...deed: readonly string[]): Promise<void> {
  try {
    await mutateByGuard(tx, undo, deed);
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

/** The proxy began anew, with what is committed: whoever had traffic besides has none now. */
export const forgotten = ({ candidate, request }: Transaction, seen: string): GateError =>
  new GateError(
    "shift",
    `The proxy has forgotten ${candidate.container}: it was restarted since that took its slot (${seen}; docker logs ${proxyContainer(request.app)}). It gets no traffic.`,
  );

/** Waits until the proxy itself reaches the candidate at its inspected address, by a check that began after the slot was filled. */
async function waitForSlot(tx: Transaction): Promise<void> {
  const { candidate } = tx;
  const deadline = tx.clock.now() + 15_000;
  let seen = "nothing";
  while (tx.clock.now() < deadline) {
    const states = await tx.host
      .proxy(tx.request.app)
      .slots()
      .catch(() => undefined); // it is being restarted
    const slot = states?.find((state) => state.slot === candidate.slot);
    seen = slot
      ? `${slot.container} at ${slot.address || "no address"}, ${slot.up ? "up" : "down"}, ${slot.admin}`
      : "nothing";
    if (slot && (slot.container !== candidate.container || slot.admin === "maint"))
      throw forgotten(tx, `it sees ${seen}`);
    if (slot?.up && slot.address === candidate.address) return;
    await tx.clock.sleep(50, tx.stop.signal);
  }
  throw new GateError(
    "shift",
    `The proxy does not reach ${candidate.container} at ${candidate.address}:${candidate.port}; it sees ${seen}. Nothing was shifted.`,
  );
}

/**
 * So many per cent of the traffic to the candidate, by weights, in one pass of the proxy's loop; the live release takes
 * the rest. What takes it back is on disk since the slot was filled: without the candidate, all traffic is the live
 * one's, whatever its weight. So weights are left as they are at the end, and set anew before they count again.
 */
export const shiftShare = (tx: Transaction, live: ReleaseRecord, share: number): Promise<void> =>
  move(tx, [], ["share", tx.candidate.slot, live.slot, tx.candidate.address, String(share)]);

/** All traffic to the candidate, once the proxy reaches it, in one pass of the proxy's loop; the live release stays, drained, for the way back. */
export async function shift(tx: Transaction): Promise<void> {
  const { current } = tx.scene;
  const blueGreen = tx.request.traffic.strategy === "blue-green"; // else it is stopped, and `resume` is on disk
  const undo = current && blueGreen ? ([["ready", current.slot, current.container]] as const) : [];
  await move(tx, undo, ["shift", tx.candidate.slot, current ? current.slot : "none", tx.candidate.address]);
}

async function move(tx: Transaction, undo: readonly Entry[], deed: readonly string[]): Promise<void> {
  try {
    await mutateByGuard(tx, undo, deed); // as a rule the proxy reaches it by now; the guard looks, and else does nothing
  } catch (cause) {
    if (!(cause instanceof DeedFailed) || !cause.deed.startsWith("DO ")) throw cause;
    await waitForSlot(tx);
    await order(tx, [], ...deed);
  }
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
