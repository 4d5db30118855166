import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { inBox, inspectInBox, lookAt } from "../support/outside";
import { Quick } from "../support/quick";
import { runVariables } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const digestOf = (image: string) => bed.images[image]?.digest.replace(/^.*@/, "") ?? "";
const tagOf = (image: string) => bed.images[image]?.tag ?? "";

beforeAll(() => resetHost(host), 60_000);
afterAll(() => resetHost(host), 60_000);

const answer = async (path = "/version", port = 80) => {
  const response = await fetch(`http://${host.address}:${port}${path}`);
  return { release: response.headers.get("x-release"), body: (await response.json()) as Record<string, unknown> };
};

test("resolves the tag of image once, and runs it by its digest", async () => {
  const ended = await quick.deployed("echo1", { image: tagOf("echo1") });
  expect(ended.outputs.digest).toBe(digestOf("echo1"));
  expect(await inspectInBox(host, "web-echo1", "{{json .Config.Image}}")).toBe(bed.images.echo1?.digest);
  expect((await answer()).body).toEqual({ version: "1", behaviour: "well" });
}, 60_000);

test("runs what digest says, whatever the tag of image stands for now", async () => {
  const more = { image: tagOf("echo1"), digest: digestOf("echo2"), version: "by-digest" };
  const ended = await quick.deployed("echo1", more);
  expect(ended.outputs.digest).toBe(digestOf("echo2"));
  expect((await answer()).body).toMatchObject({ version: "2" });
}, 60_000);

test("answers with version in X-Release, and names the release by the first 12 digits of the commit by default", async () => {
  const named = await quick.deployed("echo1", { version: "V1.4_rc.2" });
  expect(named.outputs.release).toBe("v1-4-rc-2");
  expect((await answer()).release).toBe("V1.4_rc.2");
  const { GITHUB_SHA: sha = "" } = runVariables();
  const unnamed = await quick.deployed("echo2", { version: "" });
  expect(unnamed.outputs).toMatchObject({ release: sha.slice(0, 12), "previous-release": "v1-4-rc-2" });
  expect((await answer()).release).toBe(sha);
  expect(await lookAt(host)).toMatchObject({ running: [`web-${sha.slice(0, 12)}`], current: sha.slice(0, 12) });
}, 60_000);

test("names everything after app, so that a second app on an http-port of its own shares nothing with the first", async () => {
  const web = await lookAt(host);
  const ended = await quick.deployed("good1", { app: "shop", "http-port": "8080", version: "shop-1" });
  expect(ended.outputs.url).toBe(`${host.url}:8080`);
  expect((await answer("/version", 8080)).release).toBe("shop-1");
  expect(await lookAt(host)).toEqual({ ...web, networks: ["hello-devops-shop", "hello-devops-web"] });
  const shop = await lookAt(host, "shop");
  expect(shop).toMatchObject({
    containers: ["shop-proxy running always", "shop-shop-1 running always"],
    current: "shop-1",
    releases: ["shop-1"],
  });
  const taken = await quick.deploy("good2", { app: "third", "http-port": "8080" });
  expect(taken.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(taken.outputs.reason).toContain('port 8080 of the host is held by the container "shop-proxy"');
}, 60_000);

test("pulls as registry-username with registry-password, and says whom the registry refused", async () => {
  const image = bed.images.errors5?.digest ?? "";
  await inBox(host, "docker", "image", "rm", "-f", image).catch(() => {}); // else nobody asks the registry: another file's deploy may have left it
  const wrong = await quick.deploy("errors5", { "registry-password": "not-the-password" });
  expect(wrong.outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
  expect(wrong.outputs.reason).toMatch(/refused .* as "bed" \(registry-username, registry-password\)/);
  const nobody = await quick.deploy("errors5", { "registry-username": "", "registry-password": "" });
  expect(nobody.outputs.reason).toMatch(/refused .* without registry-username and registry-password/);
  expect(await lookAt(host)).toMatchObject({ current: runVariables().GITHUB_SHA?.slice(0, 12), journal: false });
}, 60_000);

test("leaves no registry login on the host, and a wrong one that lies there does not matter", async () => {
  const stale = JSON.stringify({ auths: { [bed.registry.address]: { auth: btoa("bed:yesterday") } } });
  const folders = ["/home/ec2-user/.docker", "/root/.docker"];
  const script = (lines: string) => inBox(host, "bash", "-c", lines);
  await script(folders.map((folder) => `mkdir -p ${folder}; echo '${stale}' >${folder}/config.json`).join("\n"));
  await script(`chown -R ec2-user /home/ec2-user/.docker; docker image rm -f ${bed.images.crashes5?.digest}; true`);
  await quick.deployed("crashes5");
  const logins = await script(
    "find / -xdev -path '*/.docker/*' -type f -exec cat {} + 2>/dev/null; find / -xdev -name config.json -path '*docker*' | sort",
  );
  const files = folders.map((folder) => `${folder}/config.json`);
  expect(logins.trim().split("\n")).toEqual([stale, stale, ...files]);
  await script(`rm -r ${folders.join(" ")}`);
  const pull = `sudo -u ec2-user docker pull ${bed.images.hangs?.tag} 2>&1 || true`;
  expect(await script(pull)).toMatch(/unauthorized|no basic auth|denied/);
}, 60_000);
