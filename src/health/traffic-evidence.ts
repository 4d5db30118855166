import { chanceOfAtLeast, type Tries } from "./chance";
import { type Finding, type Judgement, judged } from "./judgement";
import { percentile } from "./latency";
import { meanSince, type Readings, type Served, servedIn } from "./traffic-counters";

export interface TrafficLimits {
  /** how far the candidate's share of errors may exceed the live one's: 0.01 = one in a hundred */
  readonly maxErrorRate: number;
  /** how far its mean time may exceed the live one's, as a share of that: 0.5 = half as long again; undefined = not asked */
  readonly maxLatencyIncrease: number | undefined;
  /** fewer than these, on either side, say nothing */
  readonly minRequests: number;
}

/**
 * What the proxy counted in one step, since its shift. At 100 % of the traffic `live` is what it counted before the
 * first shift: the longer that was, the smaller is the difference that can be told from chance.
 */
export interface StepSeen {
  readonly candidate: Readings;
  readonly live: Readings;
}

/** How improbable a difference must be before a look takes it for the candidate's fault. */
export interface Allowance {
  readonly errors: number;
  /** 0 = this look does not judge it */
  readonly latency: number;
}

/** Of a hundred bakes of a release that is no worse than the live one, this many may end in an abort: over all looks. */
export const FALSE_ABORTS = 0.01;
const BETWEEN = 0.05; // of it, for all looks before a step's end: only what is blatant ends a step early

/**
 * What each look may spend of FALSE_ABORTS. Chances of several looks add up at most, whatever they have in common, so a
 * bake keeps the promise when the parts sum up to it (Bonferroni). Nearly all goes to the one look at each step's end
 * (Haybittle and Peto). A bound that holds at any number of looks (a confidence sequence) is simpler to use, but takes 7
 * errors where this takes 5, at 200 requests of a tenth of the traffic: it misses 13 of 100 releases with 5 % errors.
 */
export function allowances(
  limits: TrafficLimits,
  plan: { readonly steps: number; readonly looksBetween: number },
): { readonly atEnd: Allowance; readonly between: Allowance } {
  const latency = limits.maxLatencyIncrease === undefined ? 0 : FALSE_ABORTS / 2;
  const errors = FALSE_ABORTS - latency;
  const between = plan.looksBetween > 0 ? BETWEEN : 0;
  return {
    atEnd: { errors: (errors * (1 - between)) / plan.steps, latency: latency / plan.steps },
    between: { errors: plan.looksBetween > 0 ? (errors * between) / plan.looksBetween : 0, latency: 0 },
  };
}

/**
 * The verdict of one look at all steps so far, the present one last. Before a step's end only `unhealthy` counts: there
 * may just not have been enough traffic yet.
 */
export function judgeTraffic(seen: readonly StepSeen[], limits: TrafficLimits, allowance: Allowance): Judgement {
  const steps: Pair[] = [];
  for (const step of seen) {
    const [candidate, live] = [servedIn(step.candidate), servedIn(step.live)];
    if (!candidate || !live)
      return { status: "inconclusive", evidence: ["The proxy's counters went backwards: it began anew in the bake."] };
    steps.push({ candidate, live });
  }
  const findings = [judgeErrors(steps, limits, allowance.errors)];
  if (limits.maxLatencyIncrease !== undefined && allowance.latency > 0)
    findings.push(judgeLatency(seen.flatMap(latencyWindows), limits.maxLatencyIncrease, allowance.latency));
  return judged(findings);
}

/** Whether a step's or the bake's last verdict ends the deploy. */
export const stops = ({ status }: Judgement, onInconclusive: "pass" | "fail"): boolean =>
  status === "unhealthy" || (status === "inconclusive" && onInconclusive === "fail");

interface Pair {
  readonly candidate: Served;
  readonly live: Served;
}

/**
 * Unhealthy when the candidate's share of errors exceeds the live one's by more than `maxErrorRate`, and chance does not
 * explain that it is higher at all. Of releases that are alike each error is the candidate's with the chance of its share
 * of the step's requests, whatever errors have in common: an outage behind both hits both. So the candidate's errors
 * among all are a sum of binomials, exactly for rare errors and with room to spare for frequent ones.
 * Confidence is asked against the live one's share, not against share plus limit: 99 % of the latter takes 7 errors in
 * 200 requests where the limit is 1 %, which 13 of 100 releases with 5 % errors do not show.
 */
function judgeErrors(steps: readonly Pair[], limits: TrafficLimits, allowed: number): Finding {
  const candidate = total(steps.map((step) => step.candidate));
  const live = total(steps.map((step) => step.live));
  const counts = `5xx: ${shareOf(candidate)} of the candidate, ${shareOf(live)} of the live release`;
  const [who, few] = candidate.requests < limits.minRequests ? ["candidate", candidate] : ["live release", live];
  if (few.requests < limits.minRequests)
    return {
      status: "inconclusive",
      says: `${counts}: the ${who} had ${few.requests} requests, at least ${limits.minRequests} are needed.`,
    };
  const excess = (candidate.errors - expectedErrors(steps)) / candidate.requests;
  if (excess <= limits.maxErrorRate) return { status: "healthy", says: `${counts}.` };
  const chance = chanceOfAtLeast(candidate.errors, ...steps.map(candidatesErrors));
  const above = `${counts}: ${percent(excess)} more, where ${percent(limits.maxErrorRate)} is allowed`;
  if (chance > allowed) return { status: "inconclusive", says: `${above}, but too few to rule out chance.` };
  return { status: "unhealthy", says: `${above}.` };
}

/** As many as the candidate's requests would have had of the live release: its share differs from step to step. */
const expectedErrors = (steps: readonly Pair[]): number =>
  steps.reduce((sum, { candidate, live }) => sum + (candidate.requests * live.errors) / Math.max(live.requests, 1), 0);

/** Each error of a step, and the chance that it is the candidate's if the releases are alike. */
const candidatesErrors = ({ candidate, live }: Pair): Tries => ({
  count: candidate.errors + live.errors,
  each: candidate.requests / Math.max(candidate.requests + live.requests, 1),
});

const LEAST_IN_WINDOW = 10; // requests of each release
const MOST_UNEVEN = 2; // a mean of few heavy-tailed times is mostly too low: such a live one makes any candidate look slow

/**
 * A proxy tells means, not how far single requests lie apart, and a few slow ones move a mean at will. So it is asked in
 * how many windows the candidate was the slower one (sign test): of releases that are alike in half of them, whatever the
 * distribution, where both had as much traffic; in fewer, where the candidate had less. Unhealthy when it was in more
 * than chance explains, and when in the median window it was slower by more than the limit. Windows in which the
 * candidate had more than twice the live one's requests say nothing.
 * Against the live one's time before the shift this can't tell a slower release from a slower hour.
 */
function judgeLatency(windows: readonly LatencyWindow[], limit: number, allowed: number): Finding {
  const needed = Math.ceil(-Math.log2(allowed)); // were the candidate slower in all of them
  if (windows.length < needed)
    return {
      status: "inconclusive",
      says: `Latency: ${windows.length} windows with ${LEAST_IN_WINDOW} requests of each release, at least ${needed} are needed.`,
    };
  const slower = windows.filter(({ candidate, live }) => candidate > live).length;
  const middle = median(windows.map(({ candidate, live }) => candidate / Math.max(live, 1)));
  const chance = chanceOfAtLeast(slower, { count: windows.length, each: 0.5 });
  const means = [windows.map((one) => one.candidate), windows.map((one) => one.live)].map(median).map(Math.round);
  const tooSlow = middle - 1 > limit;
  const byChance = tooSlow && chance > allowed;
  const says =
    `Latency: ${means[0]} ms against ${means[1]} ms of the live release; slower in ${slower} of ${windows.length} windows, ` +
    `in the median one by ${percent(middle - 1)}, where ${percent(limit)} is allowed${byChance ? ", but too seldom to rule out chance" : ""}.`;
  if (!tooSlow) return { status: "healthy", says };
  return { status: byChance ? "inconclusive" : "unhealthy", says };
}

/** Both releases' mean times, in milliseconds. */
interface LatencyWindow {
  readonly candidate: number;
  readonly live: number;
}

/** A step's windows, as short as its readings and `LEAST_IN_WINDOW` let them be. */
function latencyWindows({ candidate, live }: StepSeen): LatencyWindow[] {
  const windows: LatencyWindow[] = [];
  let from = 0;
  for (let to = 1; to < Math.min(candidate.length, live.length); to += 1) {
    const [a, b, c, d] = [candidate[from], candidate[to], live[from], live[to]];
    if (!a || !b || !c || !d) break;
    const [ours, theirs] = [b.requests - a.requests, d.requests - c.requests];
    if (Math.min(ours, theirs) < LEAST_IN_WINDOW) continue;
    if (ours <= MOST_UNEVEN * theirs) windows.push({ candidate: meanSince(a, b), live: meanSince(c, d) });
    from = to;
  }
  return windows;
}

const total = (served: readonly Served[]): Served => ({
  requests: served.reduce((sum, { requests }) => sum + requests, 0),
  errors: served.reduce((sum, { errors }) => sum + errors, 0),
});

const shareOf = ({ errors, requests }: Served): string => `${errors} of ${requests} requests`;

/** A share as people write it: 0.015 is `1.5 %`. */
export const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;

const median = (values: readonly number[]): number => percentile(values, 50);
