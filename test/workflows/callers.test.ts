import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { BedHost } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { judge } from "../support/judge";
import { type Asked, Caller, type Ran, removeImages } from "./act";
import { at, forDryRun, imagesOf, secretsFor, varsFor, writeApp, writeCaller } from "./callers";
import { patchedAct } from "./patched-act";

jest.setTimeout(240_000);
const bed = theBed();
const host = myHost(bed);
/** No worker's own, and none of the fleet's: the two places of several-hosts.yml need a host each, and no other file may wait. */
const second = bed.hosts[4] as BedHost;
let caller: Caller;

beforeAll(patchedAct, 600_000);
beforeAll(() => Promise.all([host, second].map((it) => resetHost(it))), 60_000);
beforeEach(() => {
  caller = new Caller();
});
afterEach(() => caller.end());
afterAll(async () => {
  await Promise.all([host, second].map((it) => resetHost(it)));
  await removeImages(imagesOf(bed));
}, 60_000);

/** Runs one of the files in workflows/, changed as its head asks for. */
async function runs(
  file: string,
  more: Partial<Asked> = {},
  given: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  writeCaller(caller, bed, host, file, given);
  caller.commit();
  return caller.run({ workflow: file, vars: varsFor(host), secrets: secretsFor(bed, host), ...more });
}

const build = {
  "Build/Build/Look at what is asked for": "success",
  "Build/Build/Build for linux/amd64": "success",
  "Build/Build/Hand on the digest": "success",
};
const tested = { "Test/Test/Run the tests": "success" };

/** Of one app, by the commit that was pushed. */
async function serves(app = "shop", on = host): Promise<string> {
  const { version, wrong } = await judge(on, app);
  expect(wrong).toEqual([]);
  return version;
}

test("staging-production.yml builds once, and deploys the same image to both", async () => {
  writeApp(caller, bed, "echo1");
  const ran = await runs("staging-production.yml");
  expect(ran.jobs).toEqual({
    ...tested,
    ...build,
    "Staging/Deploy/Deploy to staging": "success",
    "Production/Deploy/Deploy to production": "success",
  });
  const told = [...ran.log.matchAll(/^(\w+)\/.*set-output:: (digest|status)=(.*)$/gm)].map(([, job, name, value]) => [
    job,
    name,
    value,
  ]);
  const digests = told.flatMap(([, name, value]) => (name === "digest" ? [value] : []));
  expect(new Set(digests).size).toBe(1);
  expect(told).toContainEqual(["Staging", "status", "deployed"]);
  expect(told).toContainEqual(["Production", "status", "unchanged"]); // here both are one host
});

test("staging-production.yml deploys nothing to production where staging did not take it", async () => {
  const before = await serves();
  writeApp(caller, bed, "broken");
  const ran = await runs("staging-production.yml", {}, { "start-timeout": "3s" });
  expect(ran.jobs).toEqual({
    ...tested,
    ...build,
    "Staging/Deploy/Deploy to staging": "failure",
    "Staging, then production/Production": "skipped",
  });
  expect(ran.code).toBe(1);
  expect(await serves()).toBe(before);
});

/** On GitHub each environment has a variable SSH_HOST of its own; act has one set of variables for all. */
const inTwoPlaces = {
  vars: { ...varsFor(host, second), PLACES: JSON.stringify({ frankfurt: at(host), virginia: at(second) }) },
  hosts: `\${{ fromJSON(vars.PLACES)[matrix.environment] }}`,
};
const [frankfurt, virginia] = [
  "Deploy to frankfurt-1/Deploy/Deploy to frankfurt",
  "Deploy to virginia-2/Deploy/Deploy to virginia",
];

test("several-hosts.yml deploys one image to each of its places, on hosts of their own", async () => {
  writeApp(caller, bed, "echo1");
  const before = await serves();
  const ran = await runs("several-hosts.yml", { vars: inTwoPlaces.vars }, { hosts: inTwoPlaces.hosts });
  expect(ran.jobs).toEqual({ ...tested, ...build, [frankfurt]: "success", [virginia]: "success" });
  expect(ran.log.match(/set-output:: status=\w+$/gm)).toEqual(Array(2).fill("set-output:: status=deployed"));
  const commit = await serves();
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(commit).not.toBe(before);
  expect(await serves("shop", second)).toBe(commit);
});

test("several-hosts.yml leaves the other place alone where one does not take the release", async () => {
  writeApp(caller, bed, "echo2");
  const before = await serves("shop", second);
  const ran = await runs(
    "several-hosts.yml",
    { vars: inTwoPlaces.vars },
    {
      hosts: inTwoPlaces.hosts,
      "health-path": `\${{ matrix.environment == 'virginia' && '/nothing-here' || '/health' }}`,
      "start-timeout": "3s",
    },
  );
  expect(ran.jobs).toEqual({ ...tested, ...build, [frankfurt]: "success", [virginia]: "failure" });
  expect(ran.code).toBe(1);
  expect(await serves()).not.toBe(before);
  expect(await serves("shop", second)).toBe(before);
});

test("two places that turn out to be one host change it one after the other", async () => {
  writeApp(caller, bed, "echo1");
  const before = await serves();
  const ran = await runs("several-hosts.yml");
  expect(ran.jobs).toEqual({ ...tested, ...build, [frankfurt]: "success", [virginia]: "success" });
  expect(ran.log.match(/set-output:: status=(deployed|unchanged)$/gm)?.sort()).toEqual([
    "set-output:: status=deployed",
    "set-output:: status=unchanged",
  ]);
  expect(await serves()).not.toBe(before);
});

test("monorepo.yml puts two apps on one host, each behind a port of its own", async () => {
  await resetHost(host);
  writeApp(caller, bed, "echo1", "shop");
  writeApp(caller, bed, "echo2", "admin");
  const ran = await runs("monorepo.yml");
  const both = { ...tested, ...build, "Deploy/Deploy/Deploy to production": "success" };
  const twice = Object.entries(both).map(([name, result]) => [name, `${result}, ${result}`]);
  const skipped = ["Shop", "Admin"].flatMap((name) => [
    [`${name}/Pipeline/Staging`, "skipped"],
    [`${name}/Pipeline/Tell of what failed before the deploy`, "skipped"],
  ]);
  expect(ran.jobs).toEqual(Object.fromEntries([...twice, ...skipped]));
  const commit = await serves("shop");
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(await serves("admin")).toBe(commit);
});

const pull = (fork: boolean) => ({
  event: "pull_request" as const,
  vars: forDryRun(varsFor(host)),
  payload: {
    action: "labeled",
    pull_request: {
      number: 1,
      labels: [{ name: "dry-run" }],
      head: { repo: { full_name: fork ? "eve/shop" : "acme/shop" } },
    },
  },
});
const [lint, dryRun, all] = [
  "Pull request/Lint the workflows",
  "Pull request/What a deploy would do",
  "Pull request/All checks",
];
const checks = { ...tested, ...build, [lint]: "success", [all]: "success" };

test("pr-checks.yml tests, builds and lints a pull request, says what its deploy would do, and changes nothing", async () => {
  await resetHost(host);
  writeApp(caller, bed, "echo1");
  expect((await runs("deploy.yml")).jobs).toEqual({
    "Deploy/Test": "success",
    "Deploy/Build and push the image": "success",
    "Deploy/Deploy to production": "success",
  }); // there is an image, and a release
  const before = await serves();
  const ran = await runs("pr-checks.yml", pull(false));
  expect(ran.jobs).toEqual({ ...checks, [dryRun]: "success" });
  expect(ran.log).toMatch(/Would start shop-[0-9a-f]{12} in the slot/);
  expect(ran.log).toContain("set-output:: push=false");
  expect(await serves()).toBe(before);
});

test("pr-checks.yml gives a stranger's pull request no dry run, and is green without", async () => {
  writeApp(caller, bed, "echo1");
  const ran = await runs("pr-checks.yml", { ...pull(true), secrets: {} });
  expect(ran.jobs).toEqual({ ...checks, [dryRun]: "skipped" });
});

const faults: readonly { check: string; fault: () => void; secrets?: Asked["secrets"]; jobs: Ran["jobs"] }[] = [
  {
    check: "the tests",
    fault: () =>
      caller.write("shop.test.js", 'require("node:test")("sells", () => { throw new Error("sold out"); });\n'),
    jobs: { "Test/Test/Run the tests": "failure" },
  },
  {
    check: "the build",
    fault: () => caller.write("Dockerfile", `FROM ${bed.images.echo1?.tag}\nRUN exit 3\n`),
    jobs: { "Build/Build/Build for linux/amd64": "failure", "Build/Build/Hand on the digest": "skipped" },
  },
  {
    check: "the look at the workflows",
    fault: () =>
      caller.write(".github/workflows/bad.yml", "on: pull_request_target\njobs: { a: { uses: eve/b/c.yml@d } }\n"),
    jobs: { [lint]: "failure" },
  },
  { check: "the dry run", fault: () => {}, secrets: {}, jobs: { [dryRun]: "failure" } },
];

test.each(faults)(
  "pr-checks.yml is red, and so is All checks, where a fault is in $check",
  async ({ fault, secrets, jobs }) => {
    writeApp(caller, bed, "echo1");
    fault();
    const ran = await runs("pr-checks.yml", { ...pull(secrets === undefined), ...(secrets ? { secrets } : {}) });
    expect(ran.jobs).toEqual({ ...checks, [dryRun]: "skipped", ...jobs, [all]: "failure" });
    expect(ran.code).toBe(1);
  },
);
