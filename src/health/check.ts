import { Evidence } from "./evidence";
import { describeFor, expectationFor } from "./expected";
import { backingOffPace, becomesHealthy, type Clock, type Probe, staysHealthy, steadyPace } from "./gate";
import { percentile } from "./latency";
import type { CheckOutcome } from "./outcome";
import { probeOf, wayTo } from "./probe";
import { proxyName } from "./proxy";
import { proxyFor } from "./reach";
import type { Target, TimeRequest, VerifyRequest } from "./request";
import { shownUrl } from "./shown-url";
import type { Sight, Surroundings } from "./sight";

export interface World extends Omit<Surroundings, "now"> {
  readonly clock: Clock;
  readonly log: { info(line: string): void; debug(line: string): void };
  /** aborted when the job is cancelled */
  readonly cancel: AbortSignal;
}

type End = Pick<CheckOutcome, "status" | "reason">;

const MOST_LINES = 50; // of changes; a server that flaps for hours must not fill the log

/** One URL from the first look to the verdict. */
export async function check(target: Target, request: VerifyRequest, world: World): Promise<CheckOutcome> {
  const url = shownUrl(target.url);
  const name = target.address === undefined ? url : `${url} at ${target.address}`;
  const around = { ...world, now: world.clock.now };
  const proxy = proxyFor(target.url, wayTo(target, request, around));
  const expected = describeFor(target.url, expectationFor(target.url, request.expected));
  world.log.info(`${name}: expects ${expected}${proxy ? `, through the proxy ${proxyName(proxy)}` : ""}`);
  const evidence = new Evidence();
  const probe = told(probeOf(target, request, around), evidence, name, world);
  const end = await untilVerdict(probe, request.time, evidence, world).catch((error): End => {
    if (!world.cancel.aborted) throw error;
    return { status: "inconclusive", reason: "the job was cancelled before it was known" };
  });
  const { soFar } = evidence;
  world.log.info(`${name}: ${[end.status, ...figures(soFar)].join(", ")}, last seen: ${soFar.lastSeen}`);
  const reason = end.reason && `${name}: ${end.reason}; last seen: ${soFar.lastSeen}.`;
  return { ...soFar, name, url, address: target.address ?? "", status: end.status, reason, expected };
}

function figures({ attempts, latencies }: Evidence["soFar"]): string[] {
  const [p50, p95] = [latencies?.p50, latencies?.p95].map((value) => `${Math.round(value ?? 0)} ms`);
  return [counted(attempts, "attempt"), ...(latencies ? [`p50 ${p50}`, `p95 ${p95}`] : [])];
}

/** A line when the server begins to look another way; each look in the debug log. */
function told(look: (timeLeft: number) => Promise<Sight>, evidence: Evidence, name: string, world: World): Probe {
  let lines = 0;
  return async (timeLeft) => {
    const sight = await look(timeLeft);
    if (world.cancel.aborted) return sight;
    const line = `${name}: ${sight.standing === "right" ? "" : `${sight.standing}: `}${sight.seen}`;
    if (evidence.add(sight) && ++lines <= MOST_LINES) world.log.info(line);
    else world.log.debug(line);
    return sight;
  };
}

async function untilVerdict(probe: Probe, time: TimeRequest, evidence: Evidence, world: World): Promise<End> {
  const { clock, cancel } = world;
  const pace = time.backoff ? backingOffPace(time.interval) : steadyPace(time.interval);
  const rules = { pace, threshold: time.threshold, limit: time.timeout, tooSlow: tooSlow(time) };
  const became = await becomesHealthy(probe, rules, clock, cancel);
  if (became.status !== "healthy") return { status: became.status, reason: became.why };
  if (time.hold === 0) return healthy;
  evidence.holds();
  const before = evidence.latencies.length;
  const stayed = await staysHealthy(
    probe,
    {
      pace: steadyPace(time.interval),
      span: time.hold,
      since: became.seen.lastAt,
      broken: ({ wrong }) => (wrong > time.maxFailures ? tooMany(counted(wrong, "wrong answer"), time) : undefined),
    },
    clock,
    cancel,
  );
  if (stayed.status !== "healthy") return { status: stayed.status, reason: stayed.why };
  const bad = stayed.seen.wrong + stayed.seen.blind;
  if (bad > time.maxFailures)
    return { status: "inconclusive", reason: tooMany(`${counted(bad, "attempt")} without a right answer`, time) };
  if (evidence.latencies.length === before)
    return { status: stayed.seen.wrong > 0 ? "unhealthy" : "inconclusive", reason: "no answer in the hold was right" };
  const slow = tooSlow(time)(evidence.latencies.slice(before));
  return slow === undefined ? healthy : { status: "unhealthy", reason: slow };
}

const healthy: End = { status: "healthy", reason: "" };

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

const tooMany = (what: string, { maxFailures }: TimeRequest): string =>
  `it did not stay healthy: ${what} in the hold, and max-failures is ${maxFailures}`;

const tooSlow =
  ({ maxLatency, percentile: percent }: TimeRequest) =>
  (latencies: readonly number[]): string | undefined => {
    if (maxLatency === undefined || latencies.length === 0) return undefined;
    const value = Math.round(percentile(latencies, percent));
    if (value <= maxLatency) return undefined;
    return `p${percent} of ${latencies.length} answers is ${value} ms, more than ${maxLatency} ms (max-latency)`;
  };
