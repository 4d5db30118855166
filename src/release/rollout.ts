import type { Change } from "./change";
import { type Member, of } from "./fleet";
import { bakeDirectly } from "./gates";
import type { RolloutOptions, Strategy } from "./request";
import type { Scene } from "./scene";
import { shiftShare } from "./traffic";
import { looksOf, TrafficGate } from "./traffic-gate";
import { TrafficMeter } from "./traffic-meter";
import type { Transaction } from "./transaction";
import { stillServe } from "./verification";

/** Why all traffic of a host moves at once, and the candidate is compared with nothing; undefined = it shares with a live release. */
export function whyAtOnce({ current, handover, proxy }: Scene, strategy: Strategy): string | undefined {
  if (strategy === "recreate") return "with strategy recreate one release runs at a time";
  if (handover) return `its proxy takes the port of ${handover.name}`;
  if (!current) return "nothing serves there yet";
  return proxy?.State.Running ? undefined : "its proxy did not run";
}

export interface RolloutTerms {
  readonly rollout: RolloutOptions;
  /** milliseconds that the last step takes */
  readonly bakeTime: number;
}

/** The steps in which a new release takes over the traffic, and the gate that compares it with the live one meanwhile. */
export class Rollout {
  readonly #meters = new Map<Member, TrafficMeter>();
  readonly #gate: TrafficGate;
  readonly #options: RolloutOptions;
  readonly #bakeTime: number;
  readonly #shares: readonly number[];

  /** The hosts' transactions are open: from now on it is counted what their live releases serve. */
  constructor(
    private readonly change: Change,
    { rollout, bakeTime }: RolloutTerms,
    moving: readonly Member[],
    waves: number,
  ) {
    const { world, fleet, report } = change;
    this.#options = rollout;
    this.#bakeTime = bakeTime;
    this.#shares = rollout.steps.slice(0, -1);
    for (const member of moving) this.#meet(member);
    const spans = [...this.#shares.map(() => rollout.stepDuration), bakeTime];
    const around = { clock: world.clock, log: world.log, signal: fleet.signal, evidence: report.evidence };
    this.#gate = new TrafficGate(rollout, looksOf(Array.from({ length: waves }, () => spans).flat()), around);
  }

  #meet(member: Member): void {
    const tx = of(member, "tx");
    const { request, scene } = tx;
    const why = whyAtOnce(scene, request.traffic.strategy);
    if (scene.current && !why) this.#meters.set(member, new TrafficMeter(tx, scene.current.slot, this.#bakeTime));
    else if (this.#shares.length > 0) member.log.info(`All of its traffic will move at once: ${why}.`);
  }

  /** All steps of a wave but the last: its hosts share their traffic out between the two releases. */
  async inSteps(wave: readonly Member[]): Promise<void> {
    const { fleet, report } = this.change;
    const { stepDuration } = this.#options;
    const sharing = wave.filter((member) => this.#meters.has(member));
    if (sharing.length === 0) return;
    const watching = () => fleet.each(sharing, (member) => bakeDirectly(of(member, "tx"), stepDuration));
    for (const share of this.#shares)
      await report.phase(`shift ${share} %`, async () => {
        await fleet.each(sharing, (member) => shareOut(of(member, "tx"), share));
        await this.#beside(watching, sharing, share, stepDuration);
      });
  }

  /** The last step, at all of the traffic: as long as the bake, and beside it. */
  async bake(wave: readonly Member[], watching: () => Promise<unknown>): Promise<void> {
    await this.#beside(watching, wave, 100, this.#bakeTime);
  }

  async #beside(
    watching: () => Promise<unknown>,
    members: readonly Member[],
    share: number,
    span: number,
  ): Promise<void> {
    const compared = members.filter((member) => this.#meters.has(member)).map((member) => of(member, "tx"));
    const meters = members.flatMap((member) => this.#meters.get(member) ?? []);
    const hold = async () => void (await Promise.all(compared.map(({ guard }) => guard.hold())));
    const gate = () => this.#gate.watch({ share, span, meters, still: stillServe(members), hold });
    await this.change.fleet.together(meters.length > 0 ? [watching, gate] : [watching]);
  }
}

async function shareOut(tx: Transaction, share: number): Promise<void> {
  const { candidate, log, scene } = tx;
  if (!scene.current) throw new Error(`${candidate.id} has nothing to share traffic with`);
  await shiftShare(tx, scene.current, share);
  log.info(`${share} % of the traffic goes to ${candidate.id}, the rest to ${scene.current.release}.`);
}
