import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "./files";
import { type Ended, sha, step, stepWith } from "./script-step";

test.each([
  ["the deploy could not be begun", { ROLE: "" }, "the job was cancelled"],
  [
    "the role or ECR refused",
    { ROLE: "arn:aws:iam::1:role/deploy" },
    "the AWS role could not be assumed, ECR gave no login, or the job was cancelled",
  ],
])("where %s, that is said, in the summary and to Slack too", (_, env, why) => {
  const reason = `The deploy was not begun, and no host was touched: ${why}. The log of the steps before says which.`;
  expect(step("deploy", "Say that it was not begun", env)).toEqual({
    code: 0,
    log: `::error title=Nothing was deployed::${reason}\n`,
    outputs: { reason },
    summary: `## ❌ Nothing was deployed\n\n${reason}\n`,
  });
});

const right = {
  ...{
    ENVIRONMENT: "production",
    IMAGE: "ghcr.io/acme/shop",
    DIGEST: `sha256:${"a".repeat(64)}`,
    HOSTS: "203.0.113.7",
  },
  ...{ HAS_KEY: "true", HAS_KNOWN_HOSTS: "true", NOTIFY: "failure", STRANGER: "false" },
};
const given = (env: Readonly<Record<string, string>>): Ended =>
  step("deploy", "Look at what is given", { ...right, ...env });

test("a deploy that is given all that it needs goes on", () => {
  expect(given({})).toEqual({ code: 0, log: "", outputs: {}, summary: "" });
});

const blank = (place: string) =>
  `ssh-key: it is blank. Has this repository the secret that the caller names? (A secret of the environment "${place}" does not get here.)`;
test.each([
  [
    "a blank environment, which GitHub takes for none",
    { ENVIRONMENT: "" },
    "environment: it is blank, and GitHub would take that for none: no approvals, and the repository's variables. Name the one that is meant.",
  ],
  ["no key", { HAS_KEY: "false" }, blank("production")],
  ["a name that speaks to the runner", { ENVIRONMENT: "a::b\n::c", HAS_KEY: "false" }, blank("a??b???c")],
  [
    "a pull request from a fork",
    { STRANGER: "true", HAS_KEY: "false" },
    'A pull request from a fork gets no secrets, and must not: it can\'t deploy to "production".',
  ],
  [
    "no host key",
    { HAS_KNOWN_HOSTS: "false" },
    'ssh-known-hosts: it is blank, and the environment "production" has no variable SSH_KNOWN_HOSTS. Write the host\'s key there, as SHA256:... or as known_hosts lines.',
  ],
  [
    "an environment that is not there: it has no host",
    { ENVIRONMENT: "prodction", HOSTS: "" },
    'hosts: it is blank, and the environment "prodction" has no variable SSH_HOST.',
  ],
  [
    "an image without a digest",
    { DIGEST: "" },
    "digest: it is blank, so nothing says which image was tested. Hand on the output digest of the build.",
  ],
  ["another word for notify", { NOTIFY: "yes" }, "notify: expected failure, always or never."],
])("a deploy refuses %s in one sentence, and hands it on to Slack", (_, env, sentence) => {
  const { code, log, outputs, summary } = given(env);
  expect([code, log, outputs.reason]).toEqual([1, `::error title=Nothing was deployed::${sentence}\n`, sentence]);
  expect(summary).toContain(sentence);
});

/** Where a tag stands, with a gh that says so. */
function placed(tag: string, says: { readonly main?: string; readonly checks?: string; readonly tags?: string[] }) {
  const { main = "identical", checks = "success", tags = [tag] } = says;
  const branches = [
    `"api repos/acme/shop/compare/main...${sha} --jq .status") echo '${main}' ;;`,
    `"api repos/acme/shop/commits/${sha}/check-runs?check_name=All%20checks "*) echo '${checks}' ;;`,
    `"api --paginate repos/acme/shop/git/matching-refs/tags/v1. --jq .[].ref") printf 'refs/tags/%s\\n' ${tags.join(" ")} ;;`,
  ];
  const env = { GITHUB_REPOSITORY: "acme/shop", GITHUB_REF_NAME: tag };
  return stepWith("gh", branches, "release", "Look whether it is on main, and the newest of its kind", env);
}

test.each([
  ["true", "the only one", "v1.2.3", ["v1.2.3"]],
  ["true", "the newest, by numbers and not by letters", "v1.10.0", ["v1.2.3", "v1.9.9", "v1.10.0"]],
  ["true", "the newest, whatever is a candidate for the next", "v1.2.4", ["v1.2.4", "v1.2.4-rc.1", "v1.3.0-beta"]],
  ["false", "a repair of an older one", "v1.2.4", ["v1.2.4", "v1.3.0"]],
])("newest=%s for %s", (newest, _, tag, tags) => {
  expect(placed(tag, { main: "behind", tags })).toMatchObject({ code: 0, log: "", outputs: { newest } });
});

test.each([
  ["a tag that is not on main", { main: "diverged" }, "v1.2.3 is not on main: what is not there was not tested whole."],
  [
    "a commit whose tests failed",
    { checks: "failure" },
    '"All checks" of the commit of v1.2.3 is not green (failure). When it is, run this again.',
  ],
  [
    "a commit whose tests have not ended",
    { checks: "" },
    '"All checks" of the commit of v1.2.3 is not green (it did not run, or has not ended). When it is, run this again.',
  ],
])("%s is not released", (_, says, sentence) => {
  const { code, log, outputs } = placed("v1.2.3", says);
  expect([code, log, outputs]).toEqual([1, `::error title=Nothing was released::${sentence}\n`, {}]);
});

test("the notes of a release are its section of the changelog, and without one nothing is released", () => {
  const notes = (version: string) =>
    spawnSync("bash", [join(root, "scripts/release-notes.sh"), version], { encoding: "utf8" });
  expect(notes("Unreleased").stdout).toContain("### Added");
  const none = notes("99.0.0");
  expect([none.status, none.stdout]).toEqual([1, ""]);
  expect(none.stderr).toContain("CHANGELOG.md has no section [99.0.0]. Write one before the tag.");
});
