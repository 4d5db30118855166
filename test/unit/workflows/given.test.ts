import { describe, expect, test } from "@jest/globals";
import { type Ended, step } from "./script-step";

type Env = Readonly<Record<string, string>>;

const right = {
  ...{ ENVIRONMENT: "production", HOSTS: "203.0.113.7", FILTERS: "", ROLE: "", RUNNER_IS: "github-hosted" },
  ...{ IMAGE: "ghcr.io/acme/shop", DIGEST: `sha256:${"a".repeat(64)}` },
  ...{ HAS_KEY: "true", HAS_KNOWN_HOSTS: "true", NOTIFY: "failure", STRANGER: "false" },
};
const given = (workflow: string, env: Env): Ended => step(workflow, "Look at what is given", { ...right, ...env });

function refuses(workflow: string, env: Env, sentence: string): void {
  const title = workflow === "deploy" ? "Nothing was deployed" : "Nothing was rolled back";
  const { code, log, outputs, summary } = given(workflow, env);
  expect([code, log, outputs.reason]).toEqual([1, `::error title=${title}::${sentence}\n`, sentence]);
  expect(summary).toContain(sentence);
}

const nothingStored = { HAS_KEY: "false", HAS_KNOWN_HOSTS: "false" };
const byTag = { HOSTS: "", FILTERS: "tag:Name=web", ...nothingStored };
const ROLE = "arn:aws:iam::123456789012:role/deploy";

const blank = (place: string) =>
  `ssh-key: it is blank. Has this repository the secret that the caller names? (A secret of the environment "${place}" does not get here.) An instance, by its id or by ec2-filters, needs none.`;
const noRole =
  "role-to-assume: it is blank, so this job has no AWS credentials, and can't ask where the instances are. Name a role that this repository may take by OIDC.";

describe.each(["deploy", "rollback"])("%s.yml", (workflow) => {
  test.each([
    ["a host with its key", {}],
    ["instances by a filter, with nothing stored", { ...byTag, ROLE }],
    ["instances by their ids", { ...nothingStored, ROLE, HOSTS: "i-0123456789abcdef0, ubuntu@i-01234567:2222" }],
    [
      "an instance beside a host: the action looks closer",
      { ...nothingStored, ROLE, HOSTS: "203.0.113.7\ni-01234567" },
    ],
    ["instances for a runner that may have a role of its own", { ...byTag, RUNNER_IS: "self-hosted" }],
  ])("goes on with %s", (_, env) => {
    expect(given(workflow, env)).toEqual({ code: 0, log: "", outputs: {}, summary: "" });
  });

  test.each([
    [
      "a blank environment, which GitHub takes for none",
      { ENVIRONMENT: "" },
      "environment: it is blank, and GitHub would take that for none: no approvals, and the repository's variables. Name the one that is meant.",
    ],
    [
      "an environment that is not there: it has no host",
      { ENVIRONMENT: "prodction", HOSTS: "" },
      'hosts: it is blank, and so is ec2-filters, and the environment "prodction" has neither of the variables SSH_HOST and EC2_FILTERS.',
    ],
    [
      "hosts and filters at once",
      { FILTERS: "tag:Name=web", ROLE },
      'hosts: ec2-filters is given, too; give one of the two. (The environment "production" sees the repository\'s variables SSH_HOST and EC2_FILTERS, too.)',
    ],
    ["a host without a key", { HAS_KEY: "false" }, blank("production")],
    ["a host that is only named like an instance", { HAS_KEY: "false", HOSTS: "web-i-01234567" }, blank("production")],
    ["a name that speaks to the runner", { ENVIRONMENT: "a::b\n::c", HAS_KEY: "false" }, blank("a??b???c")],
    [
      "a host whose key nobody said",
      { HAS_KNOWN_HOSTS: "false" },
      'ssh-known-hosts: it is blank, and the environment "production" has no variable SSH_KNOWN_HOSTS. Write the host\'s key there, as SHA256:... or as known_hosts lines.',
    ],
    ["instances by a filter, but no role", byTag, noRole],
    ["instances by their ids, but no role, whatever is stored", { HOSTS: "ubuntu@i-0123456789abcdef0:2222" }, noRole],
    ["another word for notify", { NOTIFY: "yes" }, "notify: expected failure, always or never."],
  ])("refuses %s in one sentence, and hands it on to Slack", (_, env, sentence) => refuses(workflow, env, sentence));
});

test.each([
  [
    "a pull request from a fork",
    { STRANGER: "true", HAS_KEY: "false" },
    'A pull request from a fork gets no secrets, and must not: it can\'t deploy to "production".',
  ],
  [
    "an image without a digest",
    { DIGEST: "" },
    "digest: it is blank, so nothing says which image was tested. Hand on the output digest of the build.",
  ],
])("a deploy refuses %s in one sentence, and hands it on to Slack", (_, env, sentence) =>
  refuses("deploy", env, sentence),
);
