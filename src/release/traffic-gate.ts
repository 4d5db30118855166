import { unlessAborted } from "../health/attempt";
import type { Clock } from "../health/gate";
import type { Judgement } from "../health/judgement";
import { type Counters, servedIn } from "../health/traffic-counters";
import {
  type Allowance,
  allowances,
  judgeTraffic,
  percent,
  type StepSeen,
  stops,
  type TrafficLimits,
} from "../health/traffic-evidence";
import { GateError, sentence } from "./failure";
import type { Log } from "./log";
import type { Evidence } from "./outcome";
import type { RolloutOptions } from "./request";
import { READING_INTERVAL, type TrafficMeter } from "./traffic-meter";

/** What the gate needs of the deploy. */
export interface Surroundings {
  readonly clock: Clock;
  readonly log: Pick<Log, "info">;
  readonly signal: AbortSignal;
  readonly evidence: Evidence[];
}

/** One step of some hosts, before it begins. */
export interface Step {
  /** per cent of the traffic that the candidate gets */
  readonly share: number;
  /** milliseconds */
  readonly span: number;
  /** one a host */
  readonly meters: readonly TrafficMeter[];
  /** a failure's last words: what serves */
  readonly still: string;
  /** @throws when the failure may be the wire's */
  readonly hold: () => Promise<void>;
}

/** How many looks a rollout takes at most: of the steps' ends, and before them. */
export function looksOf(spans: readonly number[]): { readonly steps: number; readonly looksBetween: number } {
  const looksBetween = spans.reduce((sum, span) => sum + Math.ceil(span / READING_INTERVAL), 0);
  return { steps: spans.length, looksBetween };
}

/** One host in one step, growing as it is read. */
interface Watched {
  readonly meter: TrafficMeter;
  readonly candidate: Counters[];
  readonly live: Counters[];
  /** the live release still serves; at 100 % what it was counted before stands for it */
  readonly shared: boolean;
  /** the proxy knows nothing of the candidate any more */
  forgotten: boolean;
}

/**
 * The candidate against the live release, by the traffic that both got. All steps of all hosts are judged together: what
 * one alone is too small to say, they may say together, and the promise about false aborts is one for the whole deploy.
 */
export class TrafficGate {
  readonly #seen: StepSeen[] = [];
  readonly #allowances: { readonly atEnd: Allowance; readonly between: Allowance };

  constructor(
    private readonly options: RolloutOptions,
    plan: ReturnType<typeof looksOf>,
    private readonly around: Surroundings,
  ) {
    this.#allowances = allowances(options.limits, plan);
  }

  /**
   * Looks until the step is over.
   *
   * @throws {GateError} when the candidate is the worse one, when nothing can be said and that is to stop the deploy, or
   * when a proxy began anew while two releases shared its traffic: it sends all to the live one again
   */
  async watch(step: Step): Promise<void> {
    const { clock, signal } = this.around;
    const hosts = step.meters.map((meter) => watched(meter, step.share));
    this.#seen.push(...hosts);
    const end = clock.now() + step.span;
    for (let looks = 1; ; looks += 1) {
      const began = clock.now();
      const unread = await unlessAborted(this.#readAll(hosts), signal);
      const lost = hosts.find(({ shared, forgotten }) => shared && forgotten);
      if (lost) throw lost.meter.lost();
      const over = end - began < 1; // a timer may fire a moment early
      const allowance = over ? this.#allowances.atEnd : this.#allowances.between;
      const seen = judgeTraffic(this.#seen, this.options.limits, allowance);
      const judgement = over && unread && seen.status !== "unhealthy" ? unreadable(unread) : seen;
      if (over || judgement.status === "unhealthy") return this.#conclude(step, judgement, looks);
      await clock.sleep(Math.max(0, Math.min(began + READING_INTERVAL, end) - clock.now()), signal);
    }
  }

  /** @returns why one of them could not be read; undefined = all were */
  async #readAll(hosts: readonly Watched[]): Promise<unknown> {
    const each = this.options.limits.maxLatencyIncrease !== undefined;
    const ended = await Promise.allSettled(
      hosts.map(async (host) => {
        const { candidate, live, forgotten } = await host.meter.read();
        keep(host.candidate, candidate, each);
        if (host.shared) keep(host.live, live, each);
        host.forgotten = forgotten;
      }),
    );
    return ended.find((end) => end.status === "rejected")?.reason;
  }

  async #conclude(step: Step, judgement: Judgement, looks: number): Promise<void> {
    const { log, evidence } = this.around;
    const { limits, onInconclusive } = this.options;
    const at = `at ${step.share} % of the traffic`;
    const says = judgement.evidence.join(" ");
    const lastSeen = `${at}: ${says}`;
    evidence.push({
      gate: "traffic",
      verdict: judgement.status,
      probes: looks,
      expected: expectedOf(limits),
      lastSeen,
    });
    if (!stops(judgement, onInconclusive)) {
      const passes = judgement.status === "inconclusive" ? " It passes (on-inconclusive: pass)." : "";
      log.info(`traffic, ${at}: ${judgement.status}. ${says}${passes}`);
      return;
    }
    await step.hold(); // a cut wire must not be taken for a bad candidate
    const got = this.#seen.reduce((sum, { candidate }) => sum + (servedIn(candidate)?.requests ?? 0), 0);
    const why = judgement.status === "unhealthy" ? "" : " Nothing can be said, and on-inconclusive is fail.";
    throw new GateError(
      "traffic",
      `Stopped ${at}, after ${got} requests of the candidate.${why} ${says} ${step.still}`,
    );
  }
}

function watched(meter: TrafficMeter, share: number): Watched {
  const before = meter.before();
  const shared = share < 100;
  return { meter, candidate: [], live: shared ? [] : [...before], shared, forgotten: false };
}

/**
 * Windows of time need each reading. A share needs the first and the last, and where a counter went backwards: of a bake
 * of hours on many hosts the rest would be looked through at each look.
 */
function keep(readings: Counters[], now: Counters, each: boolean): void {
  const goesOn = servedIn([...readings.slice(-2), now]) !== undefined;
  if (!each && goesOn && readings.length > 1) readings.pop();
  readings.push(now);
}

const unreadable = (why: unknown): Judgement => ({
  status: "inconclusive",
  evidence: [`The proxy's counters could not be read: ${sentence(why)}`],
});

function expectedOf({ maxErrorRate, maxLatencyIncrease }: TrafficLimits): string {
  const slower = maxLatencyIncrease === undefined ? "" : `, at most ${percent(maxLatencyIncrease)} slower`;
  return `at most ${percent(maxErrorRate)} more 5xx than the live release${slower}`;
}
