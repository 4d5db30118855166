import { type Asked, Endings } from "./ending";
import { Fleet } from "./fleet";
import type { Outcome } from "./outcome";
import { Report } from "./report";
import type { World } from "./world";

/** What the phases of one change share. */
export interface Change {
  readonly world: World;
  readonly fleet: Fleet;
  readonly report: Report;
  readonly endings: Endings;
}

/**
 * One change of the release, as one transaction on all of its hosts. It resolves with how it ended, also when it failed:
 * at every moment each host was on one committed release, and is now.
 */
export async function change(
  asked: Asked,
  world: World,
  attempt: (change: Change) => Promise<Outcome>,
): Promise<Outcome> {
  const fleet = new Fleet(world);
  const report = new Report(world.log, world.clock, fleet.signal);
  const endings = new Endings(asked, fleet, report);
  const onCancel = () => fleet.stopAll(world.cancel.reason);
  world.cancel.addEventListener("abort", onCancel, { once: true });
  if (world.cancel.aborted) onCancel();
  try {
    if (world.unreachable) throw world.unreachable;
    return await attempt({ world, fleet, report, endings });
  } catch (cause) {
    return endings.failedBefore(fleet.signal.aborted ? fleet.signal.reason : cause);
  } finally {
    world.cancel.removeEventListener("abort", onCancel);
    await Promise.all(fleet.members.map(({ guard }) => guard?.bye()));
    fleet.close();
  }
}
