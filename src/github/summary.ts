import type { Evidence, HostOutcome, Outcome, PhaseTime, ReleaseName } from "../release/outcome";
import type { Commits } from "./commits";
import { safeLines } from "./hostile-text";
import { bar, capped, code, escaped, type Html, html, joined, link, preformatted, table } from "./html";
import { durationText } from "./time-text";
import { checksOf } from "./verify-summary";

export interface SummaryFacts {
  readonly app: string;
  /** the container to look at on the host; undefined = none is left there */
  readonly container: string | undefined;
  readonly commits: Commits | undefined;
}

const mostRows = 60;
const mostLogLines = 50;

/** What a person wants to know of a deploy, as the Markdown of a job summary. */
export function summaryOf(outcome: Outcome, facts: SummaryFacts): string {
  const blocks = [
    html`<h2>${headline(outcome, facts)}</h2>`,
    ...failure(outcome),
    whatRuns(outcome),
    ...warnings(outcome.warnings),
    ...timeline(outcome),
    ...gates(outcome.evidence),
    ...verification(outcome),
    ...commits(facts.commits),
    ...nextSteps(outcome, facts),
  ];
  return capped(blocks);
}

const ends: Readonly<Record<Outcome["change"], Readonly<Record<Outcome["status"], string>>>> = {
  deploy: {
    deployed: "✅ deployed",
    unchanged: "✅ unchanged: it runs already",
    planned: "📋 a dry run: nothing was changed",
    "rolled-back": "❌ failed and rolled back",
    failed: "❌ failed",
  },
  rollback: {
    deployed: "✅ brought back",
    unchanged: "✅ unchanged: it runs already",
    planned: "📋 a look: nothing was changed",
    "rolled-back": "❌ the rollback failed, and what served before it serves",
    failed: "❌ the rollback failed",
  },
};

function headline({ change, status, failure, version }: Outcome, { app }: SummaryFacts): Html {
  const end = failure?.cancelled ? `${ends[change][status]} (cancelled)` : ends[change][status];
  return html`${escaped(app)} ${escaped(version)}: ${end as Html}`;
}

function failure({ failure }: Outcome): Html[] {
  if (!failure) return [];
  const reason = html`<p><b>${escaped(failure.gate)}</b>: ${escaped(failure.reason, 2000)}</p>`;
  const log = safeLines(failure.log.join("\n"), mostLogLines);
  if (log.length === 0) return [reason];
  return [
    reason,
    html`<details open><summary>Last log lines of the candidate</summary>\n${preformatted(log)}\n</details>`,
  ];
}

function whatRuns(outcome: Outcome): Html {
  const { image, version } = outcome;
  const rows: [Html, Html][] = [
    [html`Release`, code(outcome.release)],
    [html`Version`, code(version)],
    [html`Image`, code(image)],
    [html`Digest`, code(outcome.digest)],
    [html`Before`, outcome.previous ? release(outcome.previous) : html`nothing`],
  ];
  const [only, ...others] = outcome.hosts;
  if (only && others.length === 0)
    rows.push(
      [html`Host`, code(only.name)],
      [html`Runs now`, runsNow(only)],
      [html`URL`, only.url === "" ? html`–` : link(only.url, escaped(only.url))],
    );
  const fleet = others.length === 0 ? html`` : html`\n${hosts(outcome)}`;
  return html`${table([], rows)}${fleet}`;
}

const runsNow = ({ serving }: HostOutcome): Html =>
  serving ? release(serving) : html`nothing, or it could not be asked`;

function hosts({ change, hosts: all }: Outcome): Html {
  const rows = all
    .slice(0, mostRows)
    .map((host) => [
      link(host.url, escaped(host.name)),
      ends[change][host.status] as Html,
      host.previous ? release(host.previous) : html`nothing`,
      runsNow(host),
    ]);
  return table([html`Host`, html`Result`, html`Before`, html`Runs now`], rows);
}

const release = (name: ReleaseName): Html => html`${code(name.release)} ${code(name.digest)}`;

const warnings = (texts: readonly string[]): Html[] =>
  texts.length === 0
    ? []
    : [html`<h3>Warnings</h3>\n<ul>${limited(texts.map((text) => html`<li>${escaped(text, 500)}</li>\n`))}</ul>`];

function timeline({ phases, startedAt, duration }: Outcome): Html[] {
  const total = Math.max(duration, 1);
  const rows = phases
    .slice(0, mostRows)
    .map((phase) => [
      escaped(phase.name),
      results[phase.result],
      html`<code>${escaped(phase.startedAt.slice(11, 19))}</code>`,
      escaped(durationText(phase.duration)),
      bar(phase.duration / total),
    ]);
  const title = html`<h3>${escaped(durationText(duration))} from ${escaped(startedAt)}</h3>`;
  const head = [html`Phase`, html`Result`, html`Began (UTC)`, html`Took`, html`Share`];
  return rows.length === 0 ? [title] : [html`${title}\n${table(head, rows)}`];
}

const results: Readonly<Record<PhaseTime["result"], Html>> = {
  done: html`done`,
  failed: html`<b>failed</b>`,
  skipped: html`skipped`,
};

function gates(evidence: readonly Evidence[]): Html[] {
  const [bad, good] = [false, true].map((healthy) =>
    evidence.filter(({ verdict }) => (verdict === "healthy") === healthy),
  );
  const rows = [...(bad ?? []), ...(good ?? [])]
    .slice(0, mostRows)
    .map((seen) => [
      escaped(seen.host ? `${seen.gate} on ${seen.host}` : seen.gate),
      seen.verdict === "healthy" ? html`healthy` : html`<b>${escaped(seen.verdict)}</b>`,
      html`${seen.probes}`,
      escaped(seen.expected),
      escaped(seen.lastSeen),
    ]);
  const head = [html`Gate`, html`Verdict`, html`Probes`, html`Expected`, html`Last seen`];
  const more = evidence.length > rows.length ? html`\n<p>… ${evidence.length - rows.length} more</p>` : html``;
  return rows.length === 0 ? [] : [html`<h3>Gates</h3>\n${table(head, rows)}${more}`];
}

/** The gates above say it all when it is healthy. */
const verification = ({ verification: seen }: Outcome): Html[] =>
  seen && seen.status !== "healthy" ? checksOf(seen, "verify-url") : [];

function commits(found: Commits | undefined): Html[] {
  if (!found) return [];
  const rows = found.newest.map(
    ({ sha, url, subject }) => html`<li>${link(url, code(sha.slice(0, 7)))} ${escaped(subject, 150)}</li>\n`,
  );
  const back = found.behind > 0 ? html`, ${found.behind} taken back` : html``;
  const more = found.ahead > rows.length ? html`<li>… ${found.ahead - rows.length} more</li>` : html``;
  const title = link(found.url, html`${found.ahead} new commits${back}`);
  return [html`<h3>${title}</h3>\n<ul>${joined(rows)}${more}</ul>`];
}

function nextSteps(outcome: Outcome, { container }: SummaryFacts): Html[] {
  const steps: Html[] = [];
  if (outcome.status === "deployed" && outcome.change === "deploy" && outcome.previous)
    steps.push(
      html`<li>To go back to ${code(outcome.previous.release)}: run <code>rollback-ec2</code>, as a new run.</li>\n`,
    );
  if (container !== undefined)
    steps.push(
      html`<li>To look at it on ${code(outcome.failure?.host ?? outcome.hosts[0]?.name ?? "the host")}: ${code(`docker logs ${container}`)}</li>\n`,
    );
  return steps.length === 0 ? [] : [html`<h3>Next</h3>\n<ul>${joined(steps)}</ul>`];
}

const limited = (rows: readonly Html[]): Html =>
  joined(rows.length > mostRows ? [...rows.slice(0, mostRows), html`<li>… ${rows.length - mostRows} more</li>`] : rows);
