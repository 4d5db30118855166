import type { Bucket, CheckOutcome, VerifyOutcome } from "../health/outcome";
import { safeLines } from "./hostile-text";
import { bar, capped, code, escaped, type Html, html, joined, preformatted, table } from "./html";
import { durationText } from "./time-text";
import { type Asker, adviceFor } from "./verify-advice";

const mostChecks = 50;
const mostKinds = 20;
const mostBodyLines = 20;
const mostBodyCharacters = 2000;

const ends = {
  healthy: "✅ healthy",
  unhealthy: "❌ unhealthy",
  inconclusive: "❔ inconclusive",
} as const;

/** What a person wants to know of a verification, as the Markdown of a job summary. */
export function verifySummaryOf(outcome: VerifyOutcome): string {
  return capped([html`<h2>${headline(outcome)}</h2>`, ...checksOf(outcome)]);
}

/** All checks in a table, and each with what was seen of it. */
export function checksOf({ checks }: VerifyOutcome, asker: Asker = "verify-health"): Html[] {
  const shown = checks.slice(0, mostChecks);
  return [overview(shown, checks.length), ...shown.flatMap((check) => details(check, asker))];
}

function headline({ status, cancelled, checks, duration }: VerifyOutcome): Html {
  const what = checks.length === 1 ? (checks[0]?.name ?? "") : `${checks.length} checks`;
  const end = `${ends[status]}${cancelled ? " (cancelled)" : ""}` as Html;
  return html`${escaped(what)}: ${end} after ${escaped(durationText(duration))}`;
}

function overview(checks: readonly CheckOutcome[], all: number): Html {
  const rows = checks.map((check) => [
    escaped(check.name),
    ends[check.status] as Html,
    html`${check.attempts}`,
    joined(kinds(check)),
    check.version === "" ? html`–` : code(check.version),
    milliseconds(check.latencies?.p50),
    milliseconds(check.latencies?.p95),
    check.certificateExpires ? escaped(check.certificateExpires.toISOString().slice(0, 10)) : html`–`,
  ]);
  const head = ["Check", "Verdict", "Attempts", "Seen", "Version", "p50", "p95", "Certificate until"];
  const more = all > rows.length ? html`\n<p>… ${all - rows.length} more checks</p>` : html``;
  return html`${table(
    head.map((title) => escaped(title)),
    rows,
  )}${more}`;
}

const milliseconds = (value: number | undefined): Html =>
  value === undefined ? html`–` : html`${Math.round(value)} ms`;

function kinds({ seen }: CheckOutcome): Html[] {
  const counted = Object.entries(seen).sort(([, a], [, b]) => b - a);
  const shown = counted.slice(0, mostKinds).map(([kind, count]) => html`${escaped(kind)} × ${count}<br>`);
  return counted.length > mostKinds ? [...shown, html`…`] : shown;
}

function details(check: CheckOutcome, asker: Asker): Html[] {
  const title = html`<h3>${escaped(check.name)}</h3>`;
  const expected = html`<p>Expected: ${escaped(check.expected, 1000)}.</p>`;
  const why =
    check.reason === ""
      ? html``
      : html`\n<p><b>${escaped(check.reason, 1000)}</b></p>\n<p>${escaped(adviceFor(check.lastKind, check.lastStanding, asker))}</p>`;
  return [html`${title}\n${expected}${why}`, ...body(check), ...latencies(check)];
}

/** What the server said last is worth a look when it was not right. */
function body({ status, lastBody }: CheckOutcome): Html[] {
  const lines = safeLines(lastBody.slice(0, mostBodyCharacters)).slice(0, mostBodyLines);
  if (status === "healthy" || lines.length === 0) return [];
  return [html`<details open><summary>The last body, from its beginning</summary>\n${preformatted(lines)}\n</details>`];
}

function latencies({ latencies }: CheckOutcome): Html[] {
  if (!latencies || latencies.answers < 2) return [];
  const most = Math.max(...latencies.buckets.map(({ count }) => count));
  const rows = latencies.buckets.map((bucket) => [range(bucket), html`${bucket.count}`, bar(bucket.count / most)]);
  return [
    html`<details><summary>Latencies of ${latencies.answers} right answers</summary>\n${table([], rows)}\n</details>`,
  ];
}

const range = ({ from, below }: Bucket): Html =>
  below === Number.POSITIVE_INFINITY ? html`${from} ms and more` : html`${from} to ${below} ms`;
