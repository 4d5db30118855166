import { expect, test } from "@jest/globals";
import { annotationOf, outputsOf, rollbackOutputsOf } from "../../../src/github/outputs";
import { actionYml } from "./deploy-inputs";
import { deployed, rolledBack } from "./outcomes";

test("sets exactly the outputs that action.yml lists", () => {
  expect(Object.keys(outputsOf(deployed)).sort()).toEqual(Object.keys(actionYml.outputs).sort());
});

test("a deploy tells what runs, what ran before and how long it took", () => {
  expect(outputsOf(deployed)).toEqual({
    status: "deployed",
    release: "v2-3c4d",
    digest: `sha256:${"2".repeat(64)}`,
    "previous-release": "v1-1a2b",
    "previous-digest": `sha256:${"1".repeat(64)}`,
    url: "http://203.0.113.7:80/",
    hosts: '[{"host":"203.0.113.7","status":"deployed","release":"v2-3c4d"}]',
    "failed-gate": "",
    reason: "",
    duration: "42.3",
  });
});

test("a rolled-back deploy tells the gate, the reason and what serves", () => {
  expect(outputsOf(rolledBack)).toMatchObject({
    status: "rolled-back",
    "failed-gate": "probe",
    reason: "v2-3c4d did not become healthy: 40 probes, last answer 500. v1-1a2b still serves.",
    hosts: '[{"host":"203.0.113.7","status":"rolled-back","release":"v1-1a2b"}]',
  });
});

test("a dry run is unchanged, and a host that can't be asked runs nothing known", () => {
  const hosts = deployed.hosts.map((host) => ({ ...host, status: "planned" as const, serving: undefined }));
  const outputs = outputsOf({ ...deployed, status: "planned", hosts, previous: undefined });
  expect(outputs).toMatchObject({ status: "unchanged", "previous-release": "", "previous-digest": "" });
  expect(outputs.hosts).toBe('[{"host":"203.0.113.7","status":"unchanged","release":""}]');
});

test("a failure is one annotation with the reason and the last log lines", () => {
  expect(annotationOf(deployed)).toBeUndefined();
  expect(annotationOf(rolledBack)).toEqual({
    title: "Deploy rolled back: probe",
    message: [
      "v2-3c4d did not become healthy: 40 probes, last answer 500. v1-1a2b still serves.",
      "The candidate's last log lines:",
      "| listening",
      "| Error: no database",
    ].join("\n"),
  });
});

const titles = [
  ["a failure before the shift", "failed", false, "Deploy failed: pull"],
  ["a cancelled deploy", "rolled-back", true, "Deploy cancelled in pull"],
] as const;
test.each(titles)("the annotation of %s says so", (_what, status, cancelled, title) => {
  const failure = { gate: "pull", reason: "x", log: [], cancelled };
  expect(annotationOf({ ...rolledBack, status, failure })).toEqual({ title, message: "x" });
});

test("hostile text in a failure can't leave its line, and much of it is cut below GitHub's 4096 bytes", () => {
  const log = Array.from({ length: 50 }, () => `\r::error::${"y".repeat(5000)}`);
  const failure = { gate: "probe", reason: `a\n::set-env::b ##[x]${"z".repeat(9000)}`, log, cancelled: false };
  const outcome = { ...rolledBack, failure };
  expect(outputsOf(outcome).reason).toMatch(/^a ::set-env::b ## \[x\]z+$/);
  const message = annotationOf(outcome)?.message ?? "";
  expect(
    message
      .split("\n")
      .slice(1)
      .every((line) => /^(\| |The candidate)/.test(line)),
  ).toBe(true);
  expect(Buffer.byteLength(message)).toBeLessThan(4096);
});

test("what a host's history says can't command the runner that a later step prints it for", () => {
  const hostile = { at: "::set-output name=x::y", reason: "##[error]x\n::warning::y", who: `${"x".repeat(400)}` };
  const past = {
    release: "r1",
    version: "",
    digest: "",
    when: hostile.at,
    who: hostile.who,
    run: "",
    reason: hostile.reason,
  };
  const releases = [{ ...past, result: "deployed", now: "kept" } as const];
  const [first] = JSON.parse(rollbackOutputsOf({ ...deployed, releases }).releases ?? "[]");
  expect(first.when).toBe(": :set-output name=x::y");
  expect(first.reason).toBe("## [error]x ::warning::y");
  expect(first.who).toHaveLength("x".repeat(300).length + "… (100 more characters)".length);
});
