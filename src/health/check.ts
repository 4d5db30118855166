import { Evidence } from "./evidence";
import { describeFor, expectationFor } from "./expected";
import { backingOffPace, becomesHealthy, type Clock, type Probe, type Seen, staysHealthy, steadyPace } from "./gate";
import { percentile } from "./latency";
import type { CheckOutcome } from "./outcome";
import { probeOf, wayTo } from "./probe";
import { proxyName } from "./proxy";
import { proxyFor } from "./reach";
import type { Target, TimeRequest, VerifyRequest } from "./request";
import { shownUrl } from "./shown-url";
import type { Sight, Surroundings } from "./sight";
import { probeOfSignal, type Signal } from "./signal";

export interface World extends Omit<Surroundings, "now"> {
  readonly clock: Clock;
  readonly log: { info(line: string): void; debug(line: string): void };
  /** aborted when the job is cancelled */
  readonly cancel: AbortSignal;
  /** what must be healthy besides the request's targets; left out = nothing */
  readonly signals?: readonly Signal[];
}

/** What a check is about, and how it is gone about. */
interface Subject extends Pick<CheckOutcome, "name" | "url" | "address" | "expected"> {
  /** a sentence's end for the log; '' = nothing is in between */
  readonly by: string;
  readonly look: (timeLeft: number) => Promise<Sight>;
  /** how long a look takes says something about it */
  readonly timed: boolean;
  readonly time: TimeRequest;
  readonly bears: Endurance;
}

/** What is too much in the hold, as a sentence's end; undefined = it is not. */
interface Endurance {
  /** ends it at once: unhealthy */
  broken(seen: Seen): string | undefined;
  /** at its end: inconclusive */
  unknown(seen: Seen): string | undefined;
}

type End = Pick<CheckOutcome, "status" | "reason">;

const MOST_LINES = 50; // of changes; a server that flaps for hours must not fill the log

/** One URL from the first look to the verdict. */
export function check(target: Target, request: VerifyRequest, world: World): Promise<CheckOutcome> {
  const url = shownUrl(target.url);
  const around = { ...world, now: world.clock.now };
  const proxy = proxyFor(target.url, wayTo(target, request, around));
  const subject = {
    name: target.address === undefined ? url : `${url} at ${target.address}`,
    url,
    address: target.address ?? "",
    expected: describeFor(target.url, expectationFor(target.url, request.expected)),
    by: proxy ? `, through the proxy ${proxyName(proxy)}` : "",
    look: probeOf(target, request, around),
    timed: true,
    time: request.time,
    bears: ofAnswers(request.time),
  };
  return verdictOn(subject, world);
}

/** One signal from the first look to the verdict. One right look will do: what it says is no single request's luck. */
export function watch(signal: Signal, time: TimeRequest, world: World): Promise<CheckOutcome> {
  const { name, expected } = signal;
  const interval = Math.max(time.interval, signal.interval);
  const subject = {
    ...{ name, url: "", address: "", expected, by: "" },
    look: probeOfSignal(signal, world),
    timed: false,
    time: { ...time, interval, threshold: 1, maxLatency: undefined },
    bears: ofStates,
  };
  return verdictOn(subject, world);
}

async function verdictOn(subject: Subject, world: World): Promise<CheckOutcome> {
  const { name, url, address, expected } = subject;
  world.log.info(`${name}: expects ${expected}${subject.by}`);
  const evidence = new Evidence();
  const probe = told(subject.look, evidence, name, world);
  const end = await untilVerdict(probe, subject, evidence, world).catch((error): End => {
    if (!world.cancel.aborted) throw error;
    return { status: "inconclusive", reason: "the job was cancelled before it was known" };
  });
  const soFar = subject.timed ? evidence.soFar : { ...evidence.soFar, latencies: undefined };
  world.log.info(`${name}: ${[end.status, ...figures(soFar)].join(", ")}, last seen: ${soFar.lastSeen}`);
  const reason = end.reason && `${name}: ${end.reason}; last seen: ${soFar.lastSeen}.`;
  return { ...soFar, name, url, address, status: end.status, reason, expected };
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

async function untilVerdict(probe: Probe, { time, bears }: Subject, evidence: Evidence, world: World): Promise<End> {
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
      broken: bears.broken,
    },
    clock,
    cancel,
  );
  if (stayed.status !== "healthy") return { status: stayed.status, reason: stayed.why };
  const unknown = bears.unknown(stayed.seen);
  if (unknown !== undefined) return { status: "inconclusive", reason: unknown };
  if (evidence.latencies.length === before)
    return { status: stayed.seen.wrong > 0 ? "unhealthy" : "inconclusive", reason: "no answer in the hold was right" };
  const slow = tooSlow(time)(evidence.latencies.slice(before));
  return slow === undefined ? healthy : { status: "unhealthy", reason: slow };
}

const healthy: End = { status: "healthy", reason: "" };

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function ofAnswers({ maxFailures }: TimeRequest): Endurance {
  const tooMany = (bad: number, what: string): string | undefined =>
    bad > maxFailures ? `it did not stay healthy: ${what} in the hold, and max-failures is ${maxFailures}` : undefined;
  return {
    broken: ({ wrong }) => tooMany(wrong, counted(wrong, "wrong answer")),
    unknown: ({ wrong, blind }) =>
      tooMany(wrong + blind, `${counted(wrong + blind, "attempt")} without a right answer`),
  };
}

/** A state lasts from one look to the next: a look that saw nothing is made good by a later one, a wrong state by none. */
const ofStates: Endurance = {
  broken: ({ wrong }) => (wrong > 0 ? "it did not stay healthy" : undefined),
  unknown: ({ wrongInARow }) => (wrongInARow > 0 ? "it is not known whether it stayed healthy" : undefined),
};

const tooSlow =
  ({ maxLatency, percentile: percent }: TimeRequest) =>
  (latencies: readonly number[]): string | undefined => {
    if (maxLatency === undefined || latencies.length === 0) return undefined;
    const value = Math.round(percentile(latencies, percent));
    if (value <= maxLatency) return undefined;
    return `p${percent} of ${latencies.length} answers is ${value} ms, more than ${maxLatency} ms (max-latency)`;
  };
