import type { CheckOutcome, VerifyOutcome } from "../health/outcome";
import type { Annotation } from "./annotation";
import { cut, safeText } from "./hostile-text";
import { type Asker, adviceFor } from "./verify-advice";

// GitHub cuts an annotation at 4096 bytes
const annotatedChecks = 3;
const longestSentence = 400;
const longestText = 2000;
const shortestSentence = 80;
const mostBytes = 60_000; // of `results`: Linux takes 128 KiB in one environment variable

/** The outputs of actions/verify-health. */
export function verifyOutputsOf({ status, checks }: VerifyOutcome): Record<string, string> {
  const slowest = slowestOf(checks);
  return {
    status,
    healthy: String(status === "healthy"),
    version: [...new Set(checks.flatMap(({ version }) => text(version).split(", ")))].filter(Boolean).join(", "),
    attempts: String(checks.reduce((sum, { attempts }) => sum + attempts, 0)),
    "latency-p50": milliseconds(slowest?.p50),
    "latency-p95": milliseconds(slowest?.p95),
    "certificate-expires": earliest(checks)?.toISOString() ?? "",
    results: resultsOf(checks),
    reason: reasonOf(checks),
  };
}

const text = (written: string): string => cut(safeText(written), longestText);
const milliseconds = (value: number | undefined): string => (value === undefined ? "" : String(Math.round(value)));

const slowestOf = (checks: readonly CheckOutcome[]) =>
  checks.flatMap(({ latencies }) => latencies ?? []).sort((a, b) => b.p95 - a.p95)[0];

function earliest(checks: readonly CheckOutcome[]): Date | undefined {
  const ends = checks.flatMap(({ certificateExpires }) => certificateExpires ?? []);
  return ends.sort((a, b) => a.getTime() - b.getTime())[0];
}

/** As JSON, short enough for an environment variable, where a later step will want it. */
export function resultsOf(checks: readonly CheckOutcome[]): string {
  for (const longest of [longestText, longestSentence, shortestSentence]) {
    const whole = JSON.stringify(checks.map((check) => resultOf(check, longest)));
    if (Buffer.byteLength(whole) <= mostBytes) return whole;
  }
  let left = mostBytes - 200; // what the note takes
  const first = [...failed(checks), ...checks.filter(({ status }) => status === "healthy")];
  const kept = first.filter((check) => {
    left -= Buffer.byteLength(JSON.stringify(resultOf(check, shortestSentence))) + 1;
    return left >= 0;
  });
  const results = checks.filter((check) => kept.includes(check)).map((check) => resultOf(check, shortestSentence));
  return JSON.stringify([...results, { note: `${checks.length - kept.length} more checks are in the job summary` }]);
}

const resultOf = (check: CheckOutcome, longest: number): Record<string, unknown> => ({
  name: text(check.name),
  url: text(check.url),
  address: check.address,
  status: check.status,
  attempts: check.attempts,
  seen: check.seen,
  version: text(check.version),
  "latency-p50": check.latencies ? Math.round(check.latencies.p50) : null,
  "latency-p95": check.latencies ? Math.round(check.latencies.p95) : null,
  "certificate-expires": check.certificateExpires?.toISOString() ?? "",
  expected: cut(safeText(check.expected), longest),
  "last-seen": cut(safeText(check.lastSeen), longest),
  reason: cut(safeText(check.reason), longest),
});

function reasonOf(checks: readonly CheckOutcome[]): string {
  const bad = failed(checks);
  const [first] = bad;
  if (!first) return "";
  const more = bad.length > 1 ? ` Of ${checks.length} checks ${bad.length} are not healthy.` : "";
  return `${text(first.reason)}${more}`;
}

/** Those that are not healthy, the unhealthy ones first. */
const failed = (checks: readonly CheckOutcome[]): CheckOutcome[] => [
  ...checks.filter(({ status }) => status === "unhealthy"),
  ...checks.filter(({ status }) => status === "inconclusive"),
];

/** The one annotation of a verification that did not end healthy: expected, last seen, and what to do. */
export function verifyAnnotationOf(outcome: VerifyOutcome): Annotation | undefined {
  const bad = failed(outcome.checks);
  const [first] = bad;
  if (!first) return undefined;
  const what = outcome.checks.length === 1 ? first.name : `${bad.length} of ${outcome.checks.length} checks`;
  const end = outcome.cancelled
    ? "Cancelled"
    : outcome.status === "unhealthy"
      ? "Not healthy"
      : "Not known to be healthy";
  const more = bad.length > annotatedChecks ? [`… and ${bad.length - annotatedChecks} more, in the job summary`] : [];
  const told = bad
    .slice(0, annotatedChecks)
    .flatMap((check) => [short(check.reason), ...nextOf(check, "verify-health")]);
  return { title: cut(safeText(`${end}: ${what}`), 200), message: [...told, ...more].join("\n") };
}

/** Of the first check that is not healthy: what was expected, and what to do. Its reason is told already. */
export const firstNextOf = (checks: readonly CheckOutcome[]): string[] =>
  failed(checks)
    .slice(0, 1)
    .flatMap((check) => nextOf(check, "verify-url"));

const nextOf = ({ expected, lastKind, lastStanding }: CheckOutcome, asker: Asker): string[] => [
  `Expected: ${short(expected)}.`,
  ...(lastKind === "" ? [] : [adviceFor(lastKind, lastStanding, asker)]),
];

const short = (written: string): string => cut(safeText(written), longestSentence);
