import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { dotenvText, oddEnv } from "../support/odd-env";
import { inBox, inspectInBox, lookAt } from "../support/outside";
import { Quick } from "../support/quick";
import { recorder } from "../support/recorder";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const workspace = mkdtempSync(join(tmpdir(), "hello-devops-workspace-"));
const data = "/srv/inputs-data"; // in the box
const json = async (path: string) => (await (await fetch(`${host.url}${path}`)).json()) as Record<string, string>;
const text = async (path: string) => (await fetch(`${host.url}${path}`)).text();

beforeAll(async () => {
  await resetHost(host);
  await inBox(
    host,
    "bash",
    "-c",
    `rm -rf ${data}; mkdir -m 777 ${data}; echo 'from the host' >${data}/greeting; chmod 666 ${data}/greeting`,
  );
}, 60_000);
afterAll(async () => {
  rmSync(workspace, { recursive: true, force: true });
  await inBox(host, "rm", "-rf", data);
  await resetHost(host);
}, 60_000);

test("asks for port where the image exposes none or several, and reaches the app on the one that it says", async () => {
  for (const image of ["noport", "manyports"]) {
    const refused = await quick.deploy(image);
    expect(refused.code).toBe(1);
    expect(refused.outputs.reason).toContain("does not EXPOSE exactly one TCP port. Say which one the app listens on");
  }
  await quick.deployed("otherport", { port: "6000" });
  expect(await json("/version")).toEqual({ version: "3", behaviour: "otherport" });
}, 60_000);

test("carries every value of env into the container as it was written, byte for byte", async () => {
  const env = oddEnv(20260101, 150);
  const ended = await quick.deployed("echo1", { env: dotenvText(env) });
  const arrived = await json("/env");
  expect(Object.fromEntries(Object.keys(env).map((name) => [name, arrived[name]]))).toEqual(env);
  expect(ended.log).not.toMatch(/^::error|^##\[error/m);
}, 60_000);

test("reads env-file from the workspace, and env wins over it", async () => {
  writeFileSync(join(workspace, "app.env"), "ONLY_FILE='of the file'\nBOTH=of the file\n# a comment\n");
  const inputs = { "env-file": "app.env", env: 'BOTH="of the input"\nONLY_INPUT=1' };
  await quick.deployed("echo2", inputs, { GITHUB_WORKSPACE: workspace });
  const wanted = { ONLY_FILE: "of the file", BOTH: "of the input", ONLY_INPUT: "1" };
  expect(await json("/env")).toMatchObject(wanted);
  const outside = await quick.deploy("echo2", { "env-file": "../secrets.env" }, { GITHUB_WORKSPACE: workspace });
  expect(outside.log).toMatch(/^::error::env-file: /m);
}, 60_000);

test("runs command in place of the image's own, split as a shell would, with its limits and log options", async () => {
  const command = `${recorder} plain 'two words' "a \\"quote\\" and \\$HOME" '*'`;
  const limits = { memory: "96m", cpus: "0.25", "log-options": "max-size=1m, max-file=7" };
  await quick.deployed("echo1", { command, ...limits, version: "limited" });
  expect(JSON.parse(await text("/argv")).slice(1)).toEqual(["plain", "two words", 'a "quote" and $HOME', "*"]);
  interface HostConfig {
    Memory: number;
    MemorySwap: number;
    NanoCpus: number;
    LogConfig: unknown;
  }
  const limited = await inspectInBox<HostConfig>(host, "web-limited", "{{json .HostConfig}}");
  const { Memory, MemorySwap, NanoCpus, LogConfig } = limited;
  expect({ Memory, MemorySwap, NanoCpus, LogConfig }).toEqual({
    Memory: 96 * 1024 ** 2,
    MemorySwap: 96 * 1024 ** 2,
    NanoCpus: 250_000_000,
    LogConfig: {
      Type: "json-file",
      Config: { "max-size": "1m", "max-file": "7", labels: "hello-devops.app,hello-devops.release", tag: "{{.Name}}" },
    },
  });
}, 60_000);

test("mounts volumes, whose data outlives the release, and a :ro one can't be written", async () => {
  const volumes = `${data}:/data, ${data}:/fixed:ro\nuploads:/uploads`;
  await quick.deployed("echo1", { command: recorder, volumes, version: "writes" });
  expect(await text("/file?path=/data/greeting")).toBe("from the host\n");
  expect(await text("/append?path=/fixed/greeting&line=x")).toMatch(/EROFS/);
  await text("/append?path=/data/kept&line=by-the-first");
  await quick.deployed("echo1", { command: recorder, volumes, version: "reads" });
  expect(await text("/file?path=/data/kept")).toBe("by-the-first\n");
  expect(await inBox(host, "docker", "volume", "ls", "--quiet")).toContain("uploads");
}, 60_000);

test("joins network besides the app's own, and refuses one that the host does not have", async () => {
  const missing = await quick.deploy("echo1", { network: "backend" });
  expect(missing.outputs.reason).toContain('network: the host has no Docker network "backend"');
  await inBox(host, "docker", "network", "create", "backend");
  await quick.deployed("echo1", { network: "backend", version: "joined" });
  const networks = await inspectInBox<object>(host, "web-joined", "{{json .NetworkSettings.Networks}}");
  expect(Object.keys(networks).sort()).toEqual(["backend", "hello-devops-web"]);
  const asked = 'fetch("http://web-joined:5000/version").then(async (a) => console.log(await a.text()))';
  const image = bed.images.echo1?.digest ?? "";
  const neighbour = await inBox(host, "docker", "run", "--rm", "--network", "backend", image, "node", "-e", asked);
  expect(JSON.parse(neighbour)).toMatchObject({ version: "1" });
}, 60_000);

test("kills a container that does not end within stop-timeout of its SIGTERM", async () => {
  await quick.deployed("ignoresterm", { "stop-timeout": "2s" });
  await quick.deployed("echo1", { version: "after" });
  const signals = await killsOf("web-ignoresterm");
  expect(signals.map(({ signal }) => signal)).toEqual(["15", "9"]);
  const between = ((signals[1]?.at ?? 0) - (signals[0]?.at ?? 0)) / 1e9;
  expect(between).toBeGreaterThanOrEqual(2);
  expect(between).toBeLessThan(10);
  expect(await inspectInBox(host, "web-ignoresterm", "{{json .State.ExitCode}}")).toBe(137);
}, 60_000);

/** The signals that Docker sent, by its own events. */
async function killsOf(container: string): Promise<{ signal: string; at: number }[]> {
  const filters = ["--filter", `container=${container}`, "--filter", "event=kill"];
  const events = await inBox(
    host,
    "bash",
    "-c",
    `docker events ${filters.join(" ")} --since 5m --until "$(date +%s.%N)" --format '{{json .}}'`,
  );
  return events
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { timeNano: number; Actor: { Attributes: { signal: string } } })
    .map((event) => ({ signal: event.Actor.Attributes.signal, at: event.timeNano }));
}

test("runs pre-deploy once, in the new image with the new env, before the app starts", async () => {
  const hook = `node -e 'require("node:fs").appendFileSync(process.env.START_FILE, "pre-deploy " + process.env.NEW + "\\n"); console.log("migrated 3 tables")'`;
  const inputs = { command: recorder, volumes: `${data}:/data`, env: "START_FILE=/data/order\nNEW=true" };
  const ended = await quick.deployed("echo2", { ...inputs, "pre-deploy": hook, version: "migrated" });
  expect(ended.log).toContain("\n| migrated 3 tables\n");
  expect(await text("/file?path=/data/order")).toBe("pre-deploy true\napp\n");
  expect((await lookAt(host)).containers.join()).not.toContain("-pre");
}, 60_000);

test("stops the deploy with the output of a pre-deploy that fails, and the live release serves on", async () => {
  const before = await lookAt(host);
  const hook = `node -e 'console.log("no such table: users"); process.exit(3)'`;
  const ended = await quick.deploy("echo1", { "pre-deploy": hook });
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "pre-deploy" });
  expect(ended.outputs.reason).toContain("pre-deploy ended with exit status 3");
  expect(ended.log).toContain("\n| no such table: users\n");
  expect(await lookAt(host)).toEqual(before);
}, 60_000);

test("ends a pre-deploy that takes longer than pre-deploy-timeout, and the live release serves on", async () => {
  const before = await lookAt(host);
  const hook = `node -e 'process.on("SIGTERM", () => process.exit(0)); setTimeout(() => {}, 600000)'`;
  const ended = await quick.deploy("echo1", { "pre-deploy": hook, "pre-deploy-timeout": "1s" });
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "pre-deploy" });
  expect(ended.outputs.reason).toContain("pre-deploy did not end within 1 s (pre-deploy-timeout)");
  expect(await lookAt(host)).toEqual(before);
}, 60_000);
