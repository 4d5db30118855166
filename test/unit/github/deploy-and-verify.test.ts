import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { annotationOf, verifiedOutputsOf } from "../../../src/github/outputs";
import { secretsOf } from "../../../src/github/secrets";
import { summaryOf } from "../../../src/github/summary";
import { readVerifiedDeployInputs } from "../../../src/github/verification-inputs";
import { readVerifyInputs } from "../../../src/github/verify-inputs";
import type { CheckOutcome } from "../../../src/health/outcome";
import type { Outcome } from "../../../src/release/outcome";
import { UserError } from "../../../src/user-error";
import { verifySource } from "../../support/verifying";
import { actionYml as deployYml, root, source } from "./deploy-inputs";
import { deployed, rolledBack } from "./outcomes";

const yml = parse(readFileSync(join(root, "actions/deploy-and-verify/action.yml"), "utf8")) as typeof deployYml;
const own = Object.entries(yml.inputs).filter(([name]) => name.startsWith("verify-") && !(name in deployYml.inputs));
const defaults = Object.fromEntries(own.map(([name, field]) => [name, field.default ?? ""]));
const rootSource = (given: Record<string, string> = {}) => source({ ...defaults, ...given });

function refusal(given: Record<string, string>): string | undefined {
  try {
    readVerifiedDeployInputs(rootSource(given));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

test("deploy-and-verify has deploy-ec2's inputs and outputs, word for word, and those of its verification", () => {
  expect(yml.inputs).toMatchObject(deployYml.inputs);
  expect(yml.outputs).toMatchObject(deployYml.outputs);
  expect(own.map(([name]) => name)).toEqual([
    ...["verify-url", "verify-status", "verify-body", "verify-json", "verify-headers", "verify-timeout"],
    "verify-min-certificate-days",
  ]);
  expect(Object.keys(yml.inputs)).toHaveLength(Object.keys(deployYml.inputs).length + own.length);
});

test("sets exactly the outputs that its action.yml lists", () => {
  expect(Object.keys(verifiedOutputsOf(deployed)).sort()).toEqual(Object.keys(yml.outputs).sort());
});

test("without verify-url nothing is verified, and its outputs are blank", () => {
  expect(readVerifiedDeployInputs(rootSource()).verification).toBeUndefined();
  expect(verifiedOutputsOf(deployed)).toMatchObject({ "verify-status": "", "verify-results": "" });
});

test("what it has no input for is as verify-health has it by default", () => {
  const url = "https://shop.test/health";
  const { verification } = readVerifiedDeployInputs(rootSource({ "verify-url": url }));
  const { request } = readVerifyInputs(verifySource({ url, timeout: "1m" }));
  expect(verification).toEqual(request);
});

test("takes what is expected of the URLs", () => {
  const { verification } = readVerifiedDeployInputs(
    rootSource({
      "verify-url": "https://shop.test/ wss://shop.test/live",
      "verify-status": "200,204",
      "verify-body": "^ok",
      "verify-json": "queue.depth < 10",
      "verify-headers": "Authorization: Bearer abc",
      "verify-timeout": "90s",
      "verify-min-certificate-days": "14",
    }),
  );
  expect(verification).toMatchObject({
    targets: [{ url: new URL("https://shop.test/") }, { url: new URL("wss://shop.test/live") }],
    question: { method: "GET", headers: { Authorization: "Bearer abc" } },
    expected: { body: /^ok/, json: [{ path: "queue.depth" }] },
    tls: { minDays: 14 },
    time: { timeout: 90_000 },
  });
});

const unread = (name: string) => `${name}: verify-url is blank, so nothing is asked; give both or neither.`;
const wrong: readonly [what: string, given: Record<string, string>, message: string][] = [
  [
    "a URL without a scheme",
    { "verify-url": "shop.test/health" },
    'verify-url: expected a URL such as https://shop.example.com/health, got "shop.test/health".',
  ],
  [
    "a login in a URL",
    { "verify-url": "https://me:secret@shop.test/" },
    'verify-url: "https://…@shop.test/" holds a user or a password; write it in verify-headers (Authorization).',
  ],
  ["a body to expect of no URL", { "verify-body": "ok" }, unread("verify-body")],
  ["JSON to expect of no URL", { "verify-json": "a = 1" }, unread("verify-json")],
  ["headers for no URL", { "verify-headers": "A: b" }, unread("verify-headers")],
  ["days of no certificate", { "verify-min-certificate-days": "7" }, unread("verify-min-certificate-days")],
  [
    "days of a certificate without TLS",
    { "verify-url": "http://shop.test/", "verify-min-certificate-days": "7" },
    "verify-min-certificate-days: no URL begins with https or wss, so there is no certificate.",
  ],
  [
    "JSON from a TCP server",
    { "verify-url": "tcp://shop.test:5432", "verify-json": "a = 1" },
    "verify-json: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "a status that is none",
    { "verify-url": "https://shop.test/", "verify-status": "ok" },
    'verify-status: expected HTTP statuses such as 200-299 or 200,204,301-399, got "ok".',
  ],
  [
    "a pattern that is none",
    { "verify-url": "https://shop.test/", "verify-body": "(" },
    'verify-body: "(" is not a regular expression (Unterminated group).',
  ],
  [
    "a Host header",
    { "verify-url": "https://shop.test/", "verify-headers": "Host: a" },
    "verify-headers: line 1 sets Host; it follows from verify-url: write the name there.",
  ],
  [
    "a time that is none",
    { "verify-url": "https://shop.test/", "verify-timeout": "soon" },
    'verify-timeout: expected a duration such as 30s or 2m, got "soon".',
  ],
  [
    "wrong inputs of the deploy and of the verification at once",
    { image: "", "verify-url": "ftp://shop.test/" },
    'image: it is blank. Write a value, or leave the input out to get its default.\nverify-url: expected a URL that begins with http://, https://, ws://, wss:// or tcp://, got "ftp://shop.test/".',
  ],
];

test.each(wrong)("refuses %s", (_what, given, message) => {
  expect(refusal(given)).toBe(message);
});

test("masks what verify-headers and the query of verify-url hold, and nothing of the URL that the log says", () => {
  const secrets = secretsOf(
    rootSource({
      "verify-url": "https://shop.test/health?token=t0psecret1",
      "verify-headers": "Authorization: Bearer t0psecret2\nX-Region: shop.test",
    }),
  );
  expect(secrets).toEqual(expect.arrayContaining(["t0psecret1", "Bearer t0psecret2", "t0psecret2"]));
  expect(secrets).not.toContain("shop.test");
});

const check: CheckOutcome = {
  ...{ name: "https://shop.test/", url: "https://shop.test/", address: "", status: "unhealthy" },
  reason: "https://shop.test/: it did not become healthy within 60 s; last seen: status 503.",
  ...{ attempts: 30, seen: { "503": 30 }, lastKind: "503", lastStanding: "wrong", lastSeen: "status 503" },
  ...{ lastBody: "down for a while", version: "", latencies: undefined, certificateExpires: undefined },
  expected: "status 200-299",
};
const unhealthy: Outcome = {
  ...rolledBack,
  failure: { gate: "verify-url", reason: `${check.reason} v1-1a2b still serves.`, log: [], cancelled: false },
  verification: { status: "unhealthy", cancelled: false, checks: [check], duration: 60_000 },
};

test("an unhealthy verification is told in outputs, annotation and summary, with what to do", () => {
  const outputs = verifiedOutputsOf(unhealthy);
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "verify-url", "verify-status": "unhealthy" });
  expect(JSON.parse(outputs["verify-results"] ?? "")).toMatchObject([{ url: "https://shop.test/", attempts: 30 }]);
  const { title, message } = annotationOf(unhealthy) ?? {};
  expect(title).toBe("Deploy rolled back: verify-url");
  expect(message).toContain("Expected: status 200-299.\nThe app or what is in front of it fails");
  const summary = summaryOf(unhealthy, { app: "shop", container: undefined, commits: undefined });
  expect(summary).toContain("<h3>https&#58;//shop.test/</h3>");
  expect(summary).toContain("down for a while");
});
