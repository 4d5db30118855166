import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import type { InputSource } from "../../../src/github/input-source";
import { readRollbackInputs } from "../../../src/github/rollback-inputs";
import { UserError } from "../../../src/user-error";
import { actionYml as deployYml, fingerprint, refusal as refusedByDeploy, root } from "./deploy-inputs";

const yml = parse(readFileSync(join(root, "actions/rollback-ec2/action.yml"), "utf8")) as typeof deployYml;

function source(given: Readonly<Record<string, string>> = {}): InputSource {
  const inputs: Record<string, string> = {
    ...Object.fromEntries(Object.entries(yml.inputs).map(([name, field]) => [name, field.default ?? ""])),
    hosts: "203.0.113.7",
    "ssh-key": "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END OPENSSH PRIVATE KEY-----",
    "ssh-known-hosts": fingerprint,
    "github-token": "",
    ...given,
  };
  const unread = (): never => {
    throw new Error("a rollback reads no file");
  };
  return {
    input: (name) => inputs[name] ?? "",
    env: { GITHUB_REPOSITORY: "Acme/Web_Shop" },
    readWorkspaceFile: unread,
  };
}

function refusal(given: Record<string, string>): string | undefined {
  try {
    readRollbackInputs(source(given));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

test("needs no more than a host and a way in", () => {
  expect(readRollbackInputs(source()).request).toEqual({
    ...{ app: "web-shop", to: "", reason: "", list: false, health: {}, bakeTime: undefined, verify: undefined },
    ...{ waveSize: { percent: 100 }, safety: { lockTimeout: 600_000, lease: 15_000, dryRun: false } },
    run: { id: undefined, attempt: 1, actor: "", url: "" },
  });
});

test("takes of the release's checks what is given", () => {
  const { health, bakeTime } = readRollbackInputs(source({ "health-path": "/ready", "bake-time": "0s" })).request;
  expect({ health, bakeTime }).toEqual({ health: { path: "/ready" }, bakeTime: 0 });
});

const notBlank = [
  ...["hosts", "address", "wave-size", "list", "dry-run", "ssh-user", "ssh-port", "ssh-key", "ssh-known-hosts"],
  ...["connect-timeout", "verify-command-timeout", "lock-timeout", "lease", "summary"],
];

test("every other input may be blank", () => {
  const refused = Object.keys(yml.inputs).filter((name) => refusal({ [name]: "" }) !== undefined);
  expect(refused.sort()).toEqual(notBlank.sort());
});

test("an input that deploy-ec2 has too is refused in the same words", () => {
  const shared = Object.keys(yml.inputs).filter((name) => name in deployYml.inputs);
  expect(shared.length).toBeGreaterThan(20);
  for (const odd of ["\u0000é s://", "-1", "x".repeat(2000)])
    for (const name of shared)
      expect([name, refusal({ [name]: odd })]).toEqual([name, refusedByDeploy({ [name]: odd })]);
});

const to = (got: string): string =>
  `to: expected a release's id, a commit, a digest (sha256:...) or the beginning of one, or -2 for the second before this one, got "${got}".`;
const truth = (name: string, got: string): string => `${name}: expected true or false, got "${got}".`;

const wrong: readonly [what: string, given: Record<string, string>, message: string][] = [
  ["a way back of no step", { to: "-0" }, to("-0")],
  ["a way back that is a word", { to: "-x" }, to("-x")],
  ["a path for a release", { to: "../r1" }, to("../r1")],
  ["two releases", { to: "r1 r2" }, to("r1 r2")],
  ["a digest of another kind", { to: "sha512:aa" }, to("sha512:aa")],
  ["a reason of many lines", { reason: "a\nb" }, 'reason: expected one line of text, got "a\\nb".'],
  ["a reason without end", { reason: "x".repeat(301) }, "reason: it has 301 characters; at most 300 are kept."],
  ["a list of neither", { list: "yes" }, truth("list", "yes")],
  ["a dry run of neither", { "dry-run": "1" }, truth("dry-run", "1")],
  [
    "an app with capitals",
    { app: "Web" },
    'app: expected 1 to 30 lower-case letters, digits and hyphens that begin with a letter or digit, got "Web".',
  ],
  ["several wrong things at once", { to: "-0", list: "yes" }, `${to("-0")}\n${truth("list", "yes")}`],
];

test.each(wrong)("refuses %s in one line", (_what, given, message) => {
  expect(refusal(given)).toBe(message);
});
