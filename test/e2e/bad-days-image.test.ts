import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { bed, deploy, deployed, freshHost, host, lightLoad, noneFailed, oneReleaseByItself } from "../support/bad-day";
import { inBox, wholeState } from "../support/outside";
import type { Inputs } from "../support/runner";

beforeAll(async () => {
  await freshHost();
  await deployed("echo1");
  await inBox(host, "docker", "image", "rm", "-f", bed.images.good1?.digest ?? "").catch(() => {}); // it is not there
}, 120_000);
afterEach(() => inBox(host, "bed-ctl", "disk", "clear"));
afterAll(freshHost, 60_000);

const repository = `${bed.registry.address}/sample-app`;
const nowhere = `sha256:${"0".repeat(64)}`;
const wrongarch = bed.images.wrongarch?.digest ?? "";
const refused: [string, Inputs, RegExp][] = [
  [
    "a tag that doesn't exist",
    { image: `${repository}:never` },
    /sample-app:never does not exist in 127\.0\.0\.1:\d+\. Check the name/,
  ],
  ["a digest that doesn't exist", { image: repository, digest: nowhere }, /sha256:0+ does not exist in/],
  [
    "a repository that doesn't exist",
    { image: `${bed.registry.address}/nobody:1` },
    /nobody:1 (does not exist|.*refused)/,
  ],
  [
    "a wrong registry password",
    { "registry-password": "wrong" },
    /refused .* as "bed" \(registry-username, registry-password\)\. Check the login/,
  ],
  [
    "no registry login",
    { "registry-username": "", "registry-password": "" },
    /refused .* without registry-username and registry-password/,
  ],
  [
    "an image for another processor",
    { image: wrongarch },
    /is for linux\/\w+, but the host is linux\/\w+\. Build it for linux/,
  ],
  [
    "an index without this processor",
    { image: bed.images.wrongindex?.digest ?? "" },
    /is for linux\/\w+, but the host is linux/,
  ],
];
test.each(refused)(
  "%s is refused, and nothing on the host changes",
  async (_, more, reason) => {
    const load = lightLoad();
    const before = await unchanging();
    const ended = await deploy("good1", more);
    expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight", release: "" });
    expect(ended.outputs.reason).toMatch(reason);
    expect(ended.code).toBe(1);
    expect(ended.log).not.toContain("::group::pull");
    expect(await unchanging()).toBe(before);
    await noneFailed(load);
    expect(await oneReleaseByItself()).toBe("echo1");
  },
  60_000,
);

const bounded = host.boundedDisk ? test : test.skip;
bounded.each([
  ["too full for the image", "300000"],
  ["full to the last block", "0"],
])(
  "a disk that is %s is found before the pull",
  async (_, left) => {
    const load = lightLoad();
    await inBox(host, "bed-ctl", "disk", "fill", left);
    const ended = await deploy("good1");
    expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
    expect(ended.outputs.reason).toMatch(
      /min-free-disk: \d+ MB are free in \/var\/lib\/docker on the host, but \d+ MB are needed: .* Nothing was pulled\. Free space/,
    );
    expect(ended.log).not.toContain("::group::pull");
    await noneFailed(load);
    expect(await oneReleaseByItself()).toBe("echo1");
  },
  90_000,
);

/** All but the lock's own two files. */
const unchanging = async (): Promise<string> =>
  (await wholeState(host))
    .split("\n")
    .filter((line) => !/\/web\/(holder|lock)( |$)|\/web d /.test(line))
    .join("\n");
