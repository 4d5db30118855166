import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { all, root, stepsOf } from "./files";

const sha = "0123456789abcdef0123456789abcdef01234567";

interface Ended {
  readonly code: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** The script of one step, as the runner starts it. */
function step(workflow: string, name: string, env: Readonly<Record<string, string>>): Ended {
  const file = all.find(({ path }) => path === `.github/workflows/${workflow}.yml`);
  const run = file && stepsOf(file).find((it) => it.name === name)?.run;
  if (!run) throw new Error(`${workflow}.yml has no step "${name}" with a script`);
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-script-"));
  try {
    const [output, summary] = ["output", "summary"].map((part) => join(folder, part)) as [string, string];
    for (const path of [output, summary]) writeFileSync(path, "");
    const files = {
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_SHA: sha,
      PATH: process.env.PATH ?? "",
    };
    const shell = ["--noprofile", "--norc", "-eo", "pipefail", "-c", run];
    const { status, stdout, stderr } = spawnSync("bash", shell, { env: { ...files, ...env }, encoding: "utf8" });
    const pairs = readFileSync(output, "utf8").split("\n").filter(Boolean);
    const outputs = Object.fromEntries(pairs.map((pair) => [pair.replace(/=.*/s, ""), pair.replace(/^[^=]*=/, "")]));
    return { code: status, log: `${stdout}${stderr}`, outputs, summary: readFileSync(summary, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const plan = (env: Readonly<Record<string, string>>): Ended =>
  step("build", "Choose registry, tags and runners", {
    ...{ IMAGE: "ghcr.io/acme/shop", PLATFORMS: "linux/amd64", TAGS: "", ATTEST: "auto" },
    ...{ RUNNER_AMD64: "ubuntu-24.04", RUNNER_ARM64: "ubuntu-24.04-arm" },
    ...env,
  });

test("a build is tagged with latest and the commit, on a runner of its processor", () => {
  const { code, outputs } = plan({});
  expect(code).toBe(0);
  expect(outputs).toEqual({
    registry: "ghcr.io",
    account: "",
    version: sha,
    several: "false",
    matrix: '{"include":[{"platform":"linux/amd64","name":"amd64","runner":"ubuntu-24.04"}]}',
    tags: `latest,${sha}`,
  });
});

test("two platforms are built side by side, each on its own kind of runner, under the tags that are asked for", () => {
  const { outputs } = plan({ PLATFORMS: "linux/amd64, linux/arm64", TAGS: "v1\n v1.2 ,edge" });
  expect(outputs.several).toBe("true");
  expect(outputs.tags).toBe("v1,v1.2,edge");
  const { include } = JSON.parse(outputs.matrix ?? "") as { include: Record<string, string>[] };
  expect(include.map(({ platform, runner }) => [platform, runner])).toEqual([
    ["linux/amd64", "ubuntu-24.04"],
    ["linux/arm64", "ubuntu-24.04-arm"],
  ]);
});

test.each([
  ["acme/shop", "docker.io"],
  ["shop", "docker.io"],
  ["localhost:5000/shop", "localhost:5000"],
  ["123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop", "123456789012.dkr.ecr.eu-central-1.amazonaws.com"],
])("%s is in %s", (image, registry) => {
  const { outputs } = plan({ IMAGE: image });
  expect(outputs).toMatchObject({ registry, account: /^\d{12}(?=\.dkr)/.exec(image)?.[0] ?? "" });
});

const named = (got: string) =>
  `image: expected a name in lower case without a tag, such as ghcr.io/acme/shop, got "${got}".`;
test.each([
  ["an image with a tag", { IMAGE: "ghcr.io/acme/shop:latest" }, named("ghcr.io/acme/shop:latest")],
  ["an image with capitals", { IMAGE: "ghcr.io/Acme/shop" }, named("ghcr.io/Acme/shop")],
  ["an image that speaks to the runner", { IMAGE: "x\n::set-env name=A::b" }, named("x?::set-env?name?A::b")],
  ["no image", { IMAGE: "" }, named("")],
  [
    "another platform",
    { PLATFORMS: "linux/s390x" },
    'platforms: expected linux/amd64 or linux/arm64, got "linux/s390x".',
  ],
  ["no platform", { PLATFORMS: " " }, "platforms: it is blank. Write linux/amd64 or linux/arm64."],
  ["a platform twice", { PLATFORMS: "linux/arm64,linux/amd64, linux/arm64" }, "platforms: it names linux/arm64 twice."],
  ["a tag that is none", { TAGS: "v1, a/b" }, 'tags: "a?b" is no tag.'],
  ["two tags that nothing parts", { TAGS: "latest edge" }, 'tags: "latest?edge" is no tag.'],
  ["no tag at all", { TAGS: " , " }, "tags: it names no tag."],
  ["another word for attest", { ATTEST: "yes" }, "attest: expected auto, always or never."],
])("a build refuses %s in one sentence", (_, env, sentence) => {
  const { code, log, summary } = plan(env);
  expect(code).toBe(1);
  expect(log).toBe(`::error title=Nothing was built::${sentence}\n`);
  expect(summary).toBe(`❌ Nothing was built: ${sentence}\n`);
});

const login = (env: Readonly<Record<string, string>>): Ended =>
  step("build", "Look at the login", {
    ...{ REGISTRY: "ghcr.io", PUSH: "true", ROLE: "", HAS_LOGIN: "false", STRANGER: "false" },
    ...env,
  });

test.each([
  ["the job's own token, at ghcr.io", {}, "password"],
  ["nothing, for a stranger's pull request", { PUSH: "false", STRANGER: "true" }, "none"],
  [
    "the secrets, without a push as well: what is built on may be private",
    { REGISTRY: "docker.io", PUSH: "false", HAS_LOGIN: "true" },
    "password",
  ],
  ["nothing, where nothing is pushed and there is no secret", { REGISTRY: "docker.io", PUSH: "false" }, "none"],
  ["the role", { REGISTRY: "1.dkr.ecr.us-east-1.amazonaws.com", ROLE: "arn:aws:iam::1:role/build" }, "role"],
  ["no role, where nothing is pushed", { ROLE: "arn:aws:iam::1:role/build", PUSH: "false" }, "none"],
])("a build logs in with %s", (_, env, how) => {
  expect(login(env)).toMatchObject({ code: 0, log: "", outputs: { how } });
});

const image = "ghcr.io/acme/shop";
const [amd64, arm64, index, other] = ["a", "b", "c", "d"].map((letter) => `sha256:${letter.repeat(64)}`) as [
  string,
  string,
  string,
  string,
];

/** The join, with a docker that notes what it is asked for and says what the registry holds under each tag. */
function joined(
  holds: Readonly<Record<string, { readonly digest: string; readonly manifests: readonly string[] }>>,
  env: Readonly<Record<string, string>> = { AMD64: amd64, ARM64: arm64 },
): Ended & { asked: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-docker-"));
  const cases = Object.entries(holds).flatMap(([tag, { digest, manifests }]) => [
    `*" inspect ${image}:${tag} "*) echo '${digest}' ;;`,
    `*" inspect ${image}@${digest} --raw") echo '${JSON.stringify({ manifests: manifests.map((it) => ({ digest: it })) })}' ;;`,
  ]);
  const docker = `#!/bin/bash
echo "$*" >>"${folder}/asked"
case "$*" in
  *" create "*) ;;
  ${cases.join("\n  ")}
  *) exit 1 ;;
esac`;
  writeFileSync(join(folder, "asked"), "");
  writeFileSync(join(folder, "docker"), docker, { mode: 0o755 });
  const given = { IMAGE: image, TAGS: `latest,${sha}`, AMD64: "", ARM64: "", ...env };
  try {
    const ended = step("build", "Join the platforms under one digest", {
      ...given,
      PATH: `${folder}:${process.env.PATH}`,
    });
    return { ...ended, asked: readFileSync(join(folder, "asked"), "utf8").split("\n").filter(Boolean) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.each([
  ["amd64", { AMD64: amd64 }, amd64],
  ["arm64", { ARM64: arm64 }, arm64],
])("of %s alone, the digest that was pushed is handed on, and nobody is asked", (_, env, digest) => {
  expect(joined({}, env)).toEqual({ code: 0, log: "", outputs: { digest }, summary: "", asked: [] });
});

test("two platforms come under one digest, which is what is handed on", () => {
  expect(joined({ latest: { digest: index, manifests: [arm64, amd64] } })).toEqual({
    code: 0,
    log: "",
    outputs: { digest: index },
    summary: "",
    asked: [
      `buildx imagetools create --tag ${image}:latest --tag ${image}:${sha} ${image}@${amd64} ${image}@${arm64}`,
      `buildx imagetools inspect ${image}:latest --format {{.Manifest.Digest}}`,
      `buildx imagetools inspect ${image}@${index} --raw`,
    ],
  });
});

test("another run that has moved latest in between is in nobody's way: the commit's own tag tells", () => {
  const later = { digest: other, manifests: [other, arm64] };
  const { code, outputs } = joined({ latest: later, [sha]: { digest: index, manifests: [amd64, arm64] } });
  expect([code, outputs]).toEqual([0, { digest: index }]);
});

test.each([
  ["the registry does not say what was pushed", {}],
  ["another run has moved each tag", { latest: { digest: other, manifests: [other, arm64] } }],
  ["the tags have a platform more", { latest: { digest: index, manifests: [amd64, arm64, other] } }],
])("two platforms hand nothing on where %s", (_, holds) => {
  const { code, log, outputs, summary } = joined(holds);
  const sentence = `${image}: none of the tags latest,${sha} is what this run built. Did another build come in between? Run it again.`;
  expect([code, log, outputs]).toEqual([1, `::error title=Nothing was handed on::${sentence}\n`, {}]);
  expect(summary).toBe(`❌ Nothing was handed on: ${sentence}\n`);
});

test("a push to Docker Hub without a login ends in one sentence", () => {
  const { code, log } = login({ REGISTRY: "docker.io" });
  expect([code, log]).toEqual([
    1,
    "::error title=Nothing was built::registry-username, registry-password: a push to docker.io needs both secrets, and one is blank or not there. A pull request from a fork gets no secrets: build it with push: false.\n",
  ]);
});

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
function placed(
  tag: string,
  says: { readonly main?: string; readonly checks?: string; readonly tags?: string[] },
): Ended {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-gh-"));
  const { main = "identical", checks = "success", tags = [tag] } = says;
  const gh = `#!/bin/bash
case "$*" in
  "api repos/acme/shop/compare/main...${sha} --jq .status") echo '${main}' ;;
  "api repos/acme/shop/commits/${sha}/check-runs?check_name=All%20checks "*) echo '${checks}' ;;
  "api --paginate repos/acme/shop/git/matching-refs/tags/v1. --jq .[].ref") printf 'refs/tags/%s\\n' ${tags.join(" ")} ;;
  *) echo "gh: this call is not played: $*" >&2; exit 1 ;;
esac`;
  writeFileSync(join(folder, "gh"), gh, { mode: 0o755 });
  const env = { GITHUB_REPOSITORY: "acme/shop", GITHUB_REF_NAME: tag, PATH: `${folder}:${process.env.PATH}` };
  try {
    return step("release", "Look whether it is on main, and the newest of its kind", env);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
