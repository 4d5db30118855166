import { expect, test } from "@jest/globals";
import { type Ended, step } from "./script-step";

const given = (env: Readonly<Record<string, string>>): Ended =>
  step("terraform", "Look at what is given", {
    ...{ COMMAND: "apply", DIRECTORY: "terraform", ENVIRONMENT: "infrastructure", VERSION: "1.11.4" },
    ...{ PLAN_ROLE: "arn:aws:iam::1:role/plan", APPLY_ROLE: "arn:aws:iam::1:role/apply" },
    ...{ RUNNER_IS: "github-hosted", STRANGER: "false" },
    ...env,
  });

test.each([
  ["an apply with both roles and an environment", {}],
  [
    "a plan without the role that changes, and without an environment",
    { COMMAND: "plan", APPLY_ROLE: "", ENVIRONMENT: "" },
  ],
  ["a runner that may have credentials of its own", { RUNNER_IS: "self-hosted", PLAN_ROLE: "", APPLY_ROLE: "" }],
  ["the repository's top, and a candidate of Terraform", { DIRECTORY: ".", VERSION: "1.15.0-rc1" }],
])("terraform.yml goes on with %s", (_, env) => {
  expect(given(env)).toEqual({ code: 0, log: "", outputs: { plans: "true" }, summary: "" });
});

const directory = (got: string) => `directory: expected one of this repository, such as terraform, got "${got}".`;
const version = (got: string) => `terraform-version: expected an exact version such as 1.11.4, got "${got}".`;

test.each([
  ["another command", { COMMAND: "destroy\n::x" }, 'command: expected plan or apply, got "destroy???x".'],
  ["no directory", { DIRECTORY: "" }, directory("")],
  ["a directory of the machine", { DIRECTORY: "/etc" }, directory("/etc")],
  ["a directory beside the repository", { DIRECTORY: "a/../../b" }, directory("a/../../b")],
  ["a range of versions", { VERSION: "~> 1.11" }, version("?? 1.11")],
  ["the latest version", { VERSION: "latest" }, version("latest")],
  [
    "an apply that nobody approves",
    { ENVIRONMENT: "" },
    "environment: it is blank, so nobody would approve what is applied. Name the one whose protection rules are the approval.",
  ],
  [
    "no role to plan with",
    { PLAN_ROLE: "" },
    "plan-role: it is blank, so this job has no AWS credentials. Name a role that this repository may take by OIDC. (A variable of an environment does not get here: set it in the repository.)",
  ],
  [
    "no role to apply with",
    { APPLY_ROLE: "" },
    'apply-role: it is blank, so the plan could not be applied. Name a role that the environment "infrastructure" may take by OIDC.',
  ],
])("terraform.yml refuses %s in one sentence", (_, env, sentence) => {
  expect(given(env)).toEqual({
    code: 1,
    log: `::error title=Nothing was planned::${sentence}\n`,
    outputs: {},
    summary: `### ❌ Nothing was planned\n\n${sentence}\n`,
  });
});

test("a pull request from a fork is told that nothing was planned, and is not red for it", () => {
  const { code, log, outputs } = given({ STRANGER: "true", COMMAND: "plan", PLAN_ROLE: "" });
  expect([code, outputs]).toEqual([0, {}]);
  expect(log).toMatch(
    /^::notice title=Nothing was planned::A pull request from a fork gets no AWS role, and must not: /,
  );
});
