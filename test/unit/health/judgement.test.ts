import { expect, test } from "@jest/globals";
import { judged } from "../../../src/health/judgement";

test("the worst finding is the verdict, and what decides is said first", () => {
  const findings = [
    { status: "healthy", says: "cpu is OK." },
    { status: "inconclusive", says: "disk has no data." },
    { status: "unhealthy", says: "errors went red." },
    { status: "unhealthy", says: "latency went red." },
  ] as const;
  expect(judged(findings)).toEqual({
    status: "unhealthy",
    evidence: ["errors went red.", "latency went red.", "cpu is OK.", "disk has no data."],
  });
  expect(judged(findings.slice(0, 2)).evidence[0]).toBe("disk has no data.");
});
