import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "./files";
import { sha, step, stepWith } from "./script-step";

const role = "arn:aws:iam::1:role/deploy";

test.each([
  ["a deploy", "deploy", { ROLE: "" }, "the job was cancelled"],
  [
    "a deploy whose role or ECR refused",
    "deploy",
    { ROLE: role },
    "the AWS role could not be assumed, ECR gave no login, or the job was cancelled",
  ],
  ["a rollback", "rollback", { ROLE: "" }, "the job was cancelled"],
  [
    "a rollback whose role refused",
    "rollback",
    { ROLE: role },
    "the AWS role could not be assumed, or the job was cancelled",
  ],
])("of %s that could not be begun, that is said, in the summary and to Slack too", (_, workflow, env, why) => {
  const title = workflow === "deploy" ? "Nothing was deployed" : "Nothing was rolled back";
  const reason = `The ${workflow} was not begun, and no host was touched: ${why}. The log of the steps before says which.`;
  expect(step(workflow, "Say that it was not begun", env)).toEqual({
    code: 0,
    log: `::error title=${title}::${reason}\n`,
    outputs: { reason },
    summary: `## ❌ ${title}\n\n${reason}\n`,
  });
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
