import { expect, test } from "@jest/globals";
import { masked, maskOf } from "../../../src/github/mask";
import { type SummaryFacts, summaryOf } from "../../../src/github/summary";
import type { Outcome } from "../../../src/release/outcome";
import { commit } from "./deploy-inputs";
import { before, deployed, rolledBack } from "./outcomes";

const facts: SummaryFacts = {
  app: "shop",
  container: "hello-shop-v2",
  commits: undefined,
};

test("a deploy's summary has what runs, what was before, the time line and the gates", () => {
  const summary = summaryOf(deployed, facts);
  for (const part of [
    `<h2>shop ${commit}: ✅ deployed</h2>`,
    `<tr><td>Digest</td><td><code>${deployed.digest}</code></td></tr>`,
    `<tr><td>Before</td><td><code>v1-1a2b</code> <code>${before.digest}</code></td></tr>`,
    '<tr><td>URL</td><td><a href="http://203.0.113.7:80/">http&#58;//203.0.113.7:80/</a></td></tr>',
    "<h3>42.3 s from 2026-11-24T02:18:00.000Z</h3>",
    `<tr><td>bake</td><td>done</td><td><code>02:18:01</code></td><td>30.0 s</td><td>${"█".repeat(14)}</td></tr>`,
    "<tr><td>probe</td><td>healthy</td><td>3</td><td>200-299</td><td>200 in 4 ms</td></tr>",
    "<li>To go back to <code>v1-1a2b</code>: run <code>rollback-ec2</code>, as a new run.</li>",
    "<code>docker logs hello-shop-v2</code>",
  ])
    expect(summary).toContain(part);
  expect(summary).not.toContain("Last log lines");
});

test("a failure's summary has the gate, the reason, the candidate's log and what serves", () => {
  const summary = summaryOf(rolledBack, facts);
  expect(summary).toContain("❌ failed and rolled back</h2>");
  expect(summary).toContain("<p><b>probe</b>: v2-3c4d did not become healthy: 40 probes, last answer 500. v1");
  expect(summary).toContain("<pre>listening\nError: no database</pre>");
  expect(summary).toContain(`<tr><td>Runs now</td><td><code>v1-1a2b</code>`);
  expect(summary).not.toContain("To go back");
});

const ends = [
  ["unchanged", "✅ unchanged: it runs already"],
  ["planned", "📋 a dry run: nothing was changed"],
  ["failed", "❌ failed"],
] as const;
test.each(ends)("a deploy that is %s says so on top", (status, end) => {
  expect(summaryOf({ ...deployed, status }, facts)).toContain(`: ${end}</h2>`);
});

test("a cancelled deploy says so on top", () => {
  const failure = { gate: "bake", reason: "cancelled", log: [], cancelled: true };
  expect(summaryOf({ ...rolledBack, failure }, facts)).toContain("failed and rolled back (cancelled)</h2>");
});

const hostile = [
  ["a script", "<script>alert(1)</script>"],
  ["the end of its block", "</pre></details></table>"],
  ["a fence", "```\n# big\n```"],
  ["a heading", "# big\n===\n\n# big"],
  ["a table", "a | b\n--|--\n1 | 2"],
  ["an image", "![x](https://evil.example/x.png)"],
  ["a link", "[click](javascript:alert(1)) <https://evil.example>"],
  ["an address", "https://evil.example www.evil.example me@evil.example @admin"],
  ["an attribute", "\" onmouseover='x'"],
  ["an entity", "&lt;b&gt;"],
  ["a workflow command", "\r::error::x ##[group]"],
  ["escape sequences", "\u001b]8;;http://evil\u0007x\u001b]8;;\u0007"],
  ["blank lines", "\n\n\n    code\n\n- list"],
  ["mathematics and strike", "$$x$$ ~~y~~ __z__ **b**"],
] as const;
test.each(hostile)("draws nothing of %s", (_what, text) => {
  const summary = summaryOf(
    { ...everywhere(text), version: text, image: text },
    { ...facts, app: text, container: text },
  );
  const drawn = summary.replace(/&#\d+;/g, "");
  const tags = new Set(drawn.match(/<[^>]*>?/g));
  expect([...tags].filter((tag) => !ours.test(tag))).toEqual([]);
  expect(drawn.replace(/<[^>]*>/g, "")).not.toMatch(/[<>"'`|*[\]!#$~]|&(?!#)|:\/\/|www\.|@(?!sha256:)|\r/);
  // Markdown begins after a blank line: whatever follows one must be a tag
  for (const block of summary.trim().split(/\n\s*\n/)) expect(block).toMatch(/^<(h2|h3|p|table|details)\b/);
});

const ours =
  /^<\/?(h2|h3|p|b|code|table|tr|td|th|ul|li|pre|details|summary)>$|^<details open>$|^<a href="http:\/\/203\.0\.113\.7:80\/">$|^<\/a>$/;

test("a rollback's summary says what came back, and not how to go back again", () => {
  const summary = summaryOf({ ...deployed, change: "rollback" }, facts);
  expect(summary).toContain(`<h2>shop ${commit}: ✅ brought back</h2>`);
  expect(summary).not.toContain("To go back");
  expect(summaryOf({ ...rolledBack, change: "rollback" }, facts)).toContain(
    "❌ the rollback failed, and what served before it serves</h2>",
  );
});

test("stays small whatever it is given", () => {
  const long = "<&".repeat(100_000);
  const summary = summaryOf({ ...everywhere(long, 1000), image: long }, { ...facts, app: long });
  expect(Buffer.byteLength(summary)).toBeLessThan(200 * 1024 + 1024);
  expect(summary).toContain("a part of the summary was too long");
});

test("masks a secret that the candidate wrote over several lines", () => {
  const failure = { gate: "probe", reason: "got k<y", log: ["x", "one", "two", "y"], cancelled: false };
  const summary = summaryOf(masked({ ...rolledBack, failure }, maskOf(["one\ntwo", "k<y"])), facts);
  expect(summary).toContain("<pre>x\n&#42;&#42;&#42;\ny</pre>");
  expect(summary).toContain("got &#42;&#42;&#42;</p>");
});

test("lists the commits of a release with links", () => {
  const newest = [{ sha: commit, subject: "Fix <b>", url: `https://github.com/a/b/commit/${commit}` }];
  const url = "https://github.com/a/b/compare/x...y";
  const summary = summaryOf(deployed, { ...facts, commits: { ahead: 3, behind: 2, newest, url } });
  expect(summary).toContain(`<h3><a href="${url}">3 new commits, 2 taken back</a></h3>`);
  expect(summary).toContain(`commit/${commit}"><code>0123456</code></a> Fix &#60;b&#62;</li>`);
  expect(summary).toContain("<li>… 2 more</li>");
});

function everywhere(text: string, times = 3): Outcome {
  const many = <T>(item: T): T[] => Array.from({ length: times }, () => item);
  return {
    ...rolledBack,
    release: text,
    digest: text,
    previous: { release: text, version: text, digest: text },
    hosts: many({
      name: text,
      status: "failed",
      url: text,
      previous: { release: text, version: text, digest: text },
      serving: { release: text, version: text, digest: text },
      settled: true,
    }),
    failure: { gate: text, reason: text, log: many(text), cancelled: false },
    evidence: many({ gate: text, verdict: "unhealthy", probes: 1, expected: text, lastSeen: text }),
    phases: many({ name: text, startedAt: text, duration: 1, result: "failed" }),
    warnings: many(text),
  };
}
