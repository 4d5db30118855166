import { expect, test } from "@jest/globals";
import { maskedVerify, maskOf } from "../../../src/github/mask";
import { adviceFor } from "../../../src/github/verify-advice";
import { verifyAnnotationOf, verifyOutputsOf } from "../../../src/github/verify-outputs";
import { verifySummaryOf } from "../../../src/github/verify-summary";
import { histogram, latenciesOf, percentile } from "../../../src/health/latency";
import type { CheckOutcome, VerifyOutcome } from "../../../src/health/outcome";
import { verifyYml } from "../../support/verifying";

const healthy: CheckOutcome = {
  name: "https://shop.test/ at 10.0.0.7",
  url: "https://shop.test/",
  address: "10.0.0.7",
  status: "healthy",
  reason: "",
  attempts: 4,
  seen: { "200": 3, ECONNREFUSED: 1 },
  lastKind: "200",
  lastStanding: "right",
  lastSeen: "status 200 in 12 ms",
  lastBody: "ok",
  version: "v2",
  latencies: latenciesOf([12, 30, 700]),
  certificateExpires: new Date("2027-01-31T12:00:00Z"),
  expected: "status 200-299",
};
const unhealthy: CheckOutcome = {
  ...healthy,
  name: "https://shop.test/b",
  url: "https://shop.test/b",
  address: "",
  status: "unhealthy",
  reason: "https://shop.test/b: it did not become healthy within 120 s; last seen: status 503.",
  seen: { "503": 60 },
  attempts: 60,
  lastKind: "503",
  lastStanding: "wrong",
  lastSeen: "status 503",
  lastBody: "<h1>down</h1>",
  version: "v1",
  latencies: undefined,
  certificateExpires: new Date("2026-12-31T12:00:00Z"),
};
const outcome = (...checks: CheckOutcome[]): VerifyOutcome => ({
  status: checks.some(({ status }) => status === "unhealthy") ? "unhealthy" : "healthy",
  cancelled: false,
  checks,
  duration: 6100,
});

test("sets exactly the outputs that action.yml lists", () => {
  expect(Object.keys(verifyOutputsOf(outcome(healthy))).sort()).toEqual(Object.keys(verifyYml.outputs).sort());
});

test("outputs put several checks together", () => {
  const { results, ...rest } = verifyOutputsOf(outcome(healthy, unhealthy, { ...unhealthy, status: "inconclusive" }));
  expect(rest).toEqual({
    status: "unhealthy",
    healthy: "false",
    version: "v2, v1",
    attempts: "124",
    "latency-p50": "30",
    "latency-p95": "700",
    "certificate-expires": "2026-12-31T12:00:00.000Z",
    reason: `${unhealthy.reason} Of 3 checks 2 are not healthy.`,
  });
  expect(JSON.parse(results ?? "")[0]).toEqual({
    name: "https://shop.test/ at 10.0.0.7",
    url: "https://shop.test/",
    address: "10.0.0.7",
    status: "healthy",
    attempts: 4,
    seen: { "200": 3, ECONNREFUSED: 1 },
    version: "v2",
    "latency-p50": 30,
    "latency-p95": 700,
    "certificate-expires": "2027-01-31T12:00:00.000Z",
    expected: "status 200-299",
    "last-seen": "status 200 in 12 ms",
    reason: "",
  });
});

test("an annotation says what was expected, what was seen and what to do, and a healthy end has none", () => {
  expect(verifyAnnotationOf(outcome(healthy))).toBeUndefined();
  expect(verifyAnnotationOf(outcome(healthy, unhealthy))).toEqual({
    title: "Not healthy: 1 of 2 checks",
    message: [
      unhealthy.reason,
      "Expected: status 200-299.",
      "The app or what is in front of it fails: look at its log of this time.",
    ].join("\n"),
  });
  const inconclusive = {
    ...outcome({ ...unhealthy, status: "inconclusive" as const }),
    status: "inconclusive" as const,
  };
  expect(verifyAnnotationOf(inconclusive)?.title).toBe("Not known to be healthy: https://shop.test/b");
  expect(verifyAnnotationOf({ ...inconclusive, cancelled: true })?.title).toBe("Cancelled: https://shop.test/b");
});

test("many failures are cut below GitHub's 4096 bytes", () => {
  const long = { ...unhealthy, reason: `a\n::error::${"z".repeat(9000)}`, expected: "é".repeat(9000) };
  const message = verifyAnnotationOf(outcome(...Array.from({ length: 9 }, () => long)))?.message ?? "";
  expect(Buffer.byteLength(message)).toBeLessThan(4096);
  expect(message.split("\n")).toHaveLength(10);
  expect(message).toMatch(/… and 6 more, in the job summary$/);
});

const kinds = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "timeout",
  "closed",
  "HPE_INVALID_CONSTANT",
  "CERT_HAS_EXPIRED",
  "EPROTO",
  "proxy 407",
  "redirects",
  "200 certificate",
  "200 wrong version",
  "200 wrong json",
  "302",
  "401",
  "403",
  "404",
  "503",
  "200",
  "ALARM",
  "INSUFFICIENT_DATA",
  "deleted",
  "does not hold",
  "no data",
  "stopped",
  "impaired",
  "initializing",
  "not read",
];
test("each kind of end has an advice of its own, and any other a way to look", () => {
  expect(new Set(kinds.map((kind) => adviceFor(kind, "wrong"))).size).toBe(kinds.length);
  expect(adviceFor("connected wrong body", "wrong")).toBe(adviceFor("101 wrong json", "wrong"));
  expect(adviceFor("EODD", "blind")).toBe("Ask the URL from the runner's network by hand: curl -v.");
});

test("a status is advised on by how it was judged, not by its number", () => {
  expect(adviceFor("200", "wrong")).toMatch(/another status than expect-status/);
  expect(adviceFor("200", "right")).toMatch(/^The last answer was right/);
  expect(adviceFor("302", "right")).toMatch(/^The last answer was right/);
});

test("results of many long checks fit in an environment variable, the failed ones first, and say what is left out", () => {
  const long = { ...unhealthy, expected: "é".repeat(9000), reason: "z".repeat(9000), lastSeen: "x".repeat(9000) };
  const some = verifyOutputsOf(outcome(...Array.from({ length: 20 }, () => long))).results ?? "";
  expect(JSON.parse(some)).toHaveLength(20);
  expect(Buffer.byteLength(some)).toBeLessThanOrEqual(60_000);
  const good = Array.from({ length: 99 }, () => ({ ...long, status: "healthy" as const, url: "u".repeat(1900) }));
  const many = verifyOutputsOf(outcome(...good, long)).results ?? "";
  const parsed = JSON.parse(many);
  expect(Buffer.byteLength(many)).toBeLessThanOrEqual(60_000);
  expect(parsed.at(-2).status).toBe("unhealthy");
  expect(parsed.at(-1)).toEqual({ note: `${101 - parsed.length} more checks are in the job summary` });
});

test("several releases of several checks are named once each", () => {
  expect(verifyOutputsOf(outcome(healthy, { ...healthy, version: "v1, v2" })).version).toBe("v2, v1");
});

test("a summary has the checks, what was seen how often, latencies and the last body", () => {
  const summary = verifySummaryOf(outcome(healthy, unhealthy));
  for (const part of [
    "<h2>2 checks: ❌ unhealthy after 6.1 s</h2>",
    "<td>✅ healthy</td><td>4</td><td>200 × 3<br>ECONNREFUSED × 1<br></td><td><code>v2</code></td><td>30 ms</td><td>700 ms</td><td>2027-01-31</td>",
    "<td>❌ unhealthy</td><td>60</td><td>503 × 60<br></td>",
    "<tr><td>10 to 25 ms</td><td>1</td><td>████████████████████</td></tr>",
    "<tr><td>50 to 100 ms</td><td>0</td><td></td></tr>",
    "<pre>&#60;h1&#62;down&#60;/h1&#62;</pre>",
    "The app or what is in front of it fails",
  ])
    expect(summary).toContain(part);
});

const hostile = [
  ["a script", "<script>alert(1)</script>"],
  ["the end of its block", "</pre></details></table>"],
  ["a fence", "```\n# big\n```"],
  ["an image", "![x](https://evil.example/x.png)"],
  ["a workflow command", "\r::error::x ##[group]"],
  ["blank lines", "\n\n\n    code\n\n- list"],
  ["escape sequences", "\u001b]8;;http://evil\u0007x"],
] as const;
test.each(hostile)("draws nothing of %s", (_what, text) => {
  const everywhere = {
    ...unhealthy,
    name: text,
    reason: text,
    lastBody: text,
    expected: text,
    version: text,
    seen: { [text]: 1 },
  };
  const summary = verifySummaryOf(outcome(everywhere));
  const drawn = summary.replace(/&#\d+;/g, "");
  const ours = /^<\/?(h2|h3|p|b|br|code|table|tr|td|th|pre|details|summary)>$|^<details open>$/;
  expect([...new Set(drawn.match(/<[^>]*>?/g))].filter((tag) => !ours.test(tag))).toEqual([]);
  expect(drawn.replace(/<[^>]*>/g, "")).not.toMatch(/[<>"`|*[\]!#$~]|&(?!#)|:\/\/|\r/);
  for (const block of summary.trim().split(/\n\s*\n/)) expect(block).toMatch(/^<(h2|h3|p|table|details)\b/);
});

test("a huge outcome makes a summary and outputs that GitHub takes", () => {
  const long = {
    ...unhealthy,
    lastSeen: "<&".repeat(100_000),
    lastBody: "<&".repeat(500_000),
    reason: "<&".repeat(100_000),
  };
  const all = outcome(...Array.from({ length: 100 }, () => long));
  expect(Buffer.byteLength(verifySummaryOf(all))).toBeLessThan(201 * 1024);
  expect(Buffer.byteLength(JSON.stringify(verifyOutputsOf(all)))).toBeLessThan(1024 * 1024);
});

test("masks what a server repeats of a secret, in each place where its text goes", () => {
  const echoed = {
    ...unhealthy,
    name: "s3cret",
    reason: "s3cret",
    lastSeen: "s3cret",
    lastBody: "a s3cret b",
    version: "s3cret",
  };
  const masked = maskedVerify(outcome(echoed), maskOf(["s3cret"]));
  const everything = [
    verifySummaryOf(masked),
    JSON.stringify([verifyOutputsOf(masked), verifyAnnotationOf(masked)]),
  ].join();
  expect(everything).not.toContain("s3cret");
  expect(everything).toContain("***");
});

test.each([
  [[5], 95, 5],
  [[1, 2, 3, 4], 50, 2],
  [[4, 3, 2, 1], 75, 3],
  [Array.from({ length: 20 }, (_, index) => index + 1), 95, 19],
  [Array.from({ length: 21 }, (_, index) => index + 1), 95, 20],
  [Array.from({ length: 100 }, (_, index) => index + 1), 7, 7], // 0.07 * 100 is more than 7
  [[1, 2, 3], 100, 3],
  [[1, 2, 3], 1, 1],
])("of %j the percentile %d is %d, by nearest rank", (values, percent, expected) => {
  expect(percentile(values, percent)).toBe(expected);
});

test("a histogram begins at its first answer and ends at its last", () => {
  expect(histogram([10, 24.9, 120])).toEqual([
    { from: 10, below: 25, count: 2 },
    { from: 25, below: 50, count: 0 },
    { from: 50, below: 100, count: 0 },
    { from: 100, below: 250, count: 1 },
  ]);
  expect(histogram([60_000])).toEqual([{ from: 10_000, below: Number.POSITIVE_INFINITY, count: 1 }]);
});
