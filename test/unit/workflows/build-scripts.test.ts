import { expect, test } from "@jest/globals";
import { type Ended, sha, step, stepWith } from "./script-step";

const plan = (env: Readonly<Record<string, string>>): Ended =>
  step("build", "Choose registry, tags and runners", {
    ...{ IMAGE: "ghcr.io/acme/shop", PLATFORMS: "linux/amd64", TAGS: "", ATTEST: "auto", ROLE: "" },
    ...{ RUNNER_AMD64: "ubuntu-24.04", RUNNER_ARM64: "ubuntu-24.04-arm" },
    ...env,
  });

test("a build is tagged with latest and the commit, on a runner of its processor", () => {
  const { code, outputs } = plan({});
  expect(code).toBe(0);
  expect(outputs).toEqual({
    registry: "ghcr.io",
    account: "",
    ecr: "false",
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

test.each([
  [
    "with the role, in ECR",
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop",
    "arn:aws:iam::1:role/build",
    "true",
  ],
  [
    "with the role, in a FIPS endpoint's ECR",
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/shop",
    "arn:aws:iam::1:role/build",
    "true",
  ],
  ["by secrets, in ECR", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop", "", "false"],
  ["without a role that is there to get in alone", "ghcr.io/acme/ecr", "arn:aws:iam::1:role/deploy", "false"],
])("an image is pushed %s", (_, image, role, ecr) => {
  expect(plan({ IMAGE: image, ROLE: role }).outputs).toMatchObject({ ecr });
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
    ...{ REGISTRY: "ghcr.io", PUSH: "true", ECR: "false", HAS_LOGIN: "false", STRANGER: "false" },
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
  ["the role", { REGISTRY: "1.dkr.ecr.us-east-1.amazonaws.com", ECR: "true" }, "role"],
  ["no role, where nothing is pushed", { ECR: "true", PUSH: "false" }, "none"],
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

/** The join, with a docker that says what the registry holds under each tag. */
function joined(
  holds: Readonly<Record<string, { readonly digest: string; readonly manifests: readonly string[] }>>,
  env: Readonly<Record<string, string>> = { AMD64: amd64, ARM64: arm64 },
) {
  const branches = Object.entries(holds).flatMap(([tag, { digest, manifests }]) => [
    `*" inspect ${image}:${tag} "*) echo '${digest}' ;;`,
    `*" inspect ${image}@${digest} --raw") echo '${JSON.stringify({ manifests: manifests.map((it) => ({ digest: it })) })}' ;;`,
  ]);
  const given = { IMAGE: image, TAGS: `latest,${sha}`, AMD64: "", ARM64: "", ...env };
  return stepWith("docker", ['*" create "*) ;;', ...branches], "build", "Join the platforms under one digest", given);
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
