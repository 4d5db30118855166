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
  expect(plan({ IMAGE: image }).outputs.registry).toBe(registry);
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
  ["a tag that is none", { TAGS: "a b/c" }, 'tags: "ab?c" is no tag.'],
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

const [amd64, arm64, index, other] = ["a", "b", "c", "d"].map((letter) => `sha256:${letter.repeat(64)}`) as [
  string,
  string,
  string,
  string,
];

/** The join of two platforms, with a docker that notes what it is asked for and says what the registry holds. */
function joined(holds: {
  readonly digest: string;
  readonly manifests: readonly string[];
}): Ended & { asked: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-docker-"));
  const index = JSON.stringify({ manifests: holds.manifests.map((digest) => ({ digest })) });
  const docker = `#!/bin/bash
echo "$*" >>"${folder}/asked"
case "$*" in
  *" --raw") echo '${index}' ;;
  *" inspect "*) echo '${holds.digest}' ;;
esac`;
  writeFileSync(join(folder, "docker"), docker, { mode: 0o755 });
  const env = { IMAGE: "ghcr.io/acme/shop", TAGS: `latest,${sha}`, AMD64: amd64, ARM64: arm64 };
  try {
    const ended = step("build", "Join", { ...env, PATH: `${folder}:${process.env.PATH}` });
    return { ...ended, asked: readFileSync(join(folder, "asked"), "utf8").split("\n").filter(Boolean) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("two platforms come under one digest, which is what is handed on", () => {
  const image = "ghcr.io/acme/shop";
  expect(joined({ digest: index, manifests: [arm64, amd64] })).toEqual({
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

test.each([
  [
    "the registry does not say what was pushed",
    { digest: "", manifests: [] },
    "::error title=No digest::The registry does not say what ghcr.io/acme/shop:latest is.\n",
  ],
  [
    "another run has moved the tag in between",
    { digest: index, manifests: [other, arm64] },
    "::error title=Another build came in between::ghcr.io/acme/shop:latest is not what this run built. Run it again.\n",
  ],
  [
    "the tag has a platform more",
    { digest: index, manifests: [amd64, arm64, other] },
    "::error title=Another build came in between::ghcr.io/acme/shop:latest is not what this run built. Run it again.\n",
  ],
])("two platforms hand nothing on where %s", (_, holds, said) => {
  const { code, log, outputs } = joined(holds);
  expect([code, log, outputs]).toEqual([1, said, {}]);
});

test("a push to Docker Hub without a login ends in one sentence", () => {
  const { code, log } = login({ REGISTRY: "docker.io" });
  expect([code, log]).toEqual([
    1,
    "::error title=Nothing was built::registry-username, registry-password: a push to docker.io needs both secrets, and one is blank or not there. A pull request from a fork gets no secrets: build it with push: false.\n",
  ]);
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

test("the notes of a release are its section of the changelog, and without one nothing is released", () => {
  const notes = (version: string) =>
    spawnSync("bash", [join(root, "scripts/release-notes.sh"), version], { encoding: "utf8" });
  expect(notes("Unreleased").stdout).toContain("### Added");
  const none = notes("99.0.0");
  expect([none.status, none.stdout]).toEqual([1, ""]);
  expect(none.stderr).toContain("CHANGELOG.md has no section [99.0.0]. Write one before the tag.");
});
