import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterEach, beforeAll, expect, test } from "@jest/globals";
import { deferred } from "./deferred";
import { type Family, familiesOf } from "./series";

const app = join(__dirname, "..", "..", "app");
const processes: ChildProcess[] = [];

beforeAll(() => {
  execFileSync(process.execPath, [require.resolve("typescript/lib/tsc.js"), "--project", app], { stdio: "inherit" });
}, 60_000);

afterEach(() => {
  for (const running of processes.splice(0)) running.kill("SIGKILL");
});

function run(env: Record<string, string>) {
  const child = spawn(process.execPath, ["dist/server.js"], {
    cwd: app,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  processes.push(child);
  return { child, exited: once(child, "exit") };
}

async function running(env: Record<string, string> = {}) {
  const { child, exited } = run({ PORT: "0", METRICS_PORT: "0", APP_VERSION: "9", ...env });
  const lines: Record<string, unknown>[] = [];
  const ready = deferred<{ port: number; metricsPort: number }>();
  const stopping = deferred();
  const log = createInterface(child.stdout).on("line", (line) => {
    const said = JSON.parse(line);
    lines.push(said);
    if (said.msg === "ready") ready.resolve(said);
    if (said.msg.startsWith("stopping")) stopping.resolve();
  });
  const ended = once(log, "close");
  exited.then(([code]) => ready.reject(new Error(`exited with ${code} before it was ready`)));
  const { port, metricsPort } = await ready.promise;
  return { child, port, metricsPort, stopping: stopping.promise, exited, lines, ended };
}

/** A connection that has sent the first half of a request, and the app has read it. */
async function halfAsked(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  await new Promise<void>((sent) => socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n`, () => sent()));
  await fetch(`http://127.0.0.1:${port}/version`); // comes later, so when it is answered the half has been read
  return socket;
}

test.each(["SIGTERM", "SIGINT"] as const)("the compiled app ends with 0 on %s, and says so in JSON", async (signal) => {
  const { child, port, exited, lines, ended } = await running();
  const version = await fetch(`http://127.0.0.1:${port}/version`); // leaves an idle kept-alive connection behind
  expect(await version.json()).toEqual({ version: "9", commit: "unknown" });
  expect((await fetch(`http://127.0.0.1:${port}/style.css`)).status).toBe(200);
  child.kill(signal);
  expect(await exited).toEqual([0, null]);
  await ended;
  expect(lines.map(({ msg }) => msg)).toEqual([
    "ready",
    "GET /version 200",
    "GET /style.css 200",
    `stopping: ${signal}`,
    "stopped: every request was finished",
  ]);
});

test("health asked for across a SIGTERM is 503, on a connection that then closes", async () => {
  const { child, port, stopping, exited } = await running();
  const socket = await halfAsked(port, "/health");
  child.kill("SIGTERM");
  await stopping;
  socket.write("\r\n");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 .*connection: close.*"status":"stopping"/is);
  expect(await exited).toEqual([0, null]);
});

test("a request still unfinished at the limit is cut, and the exit code tells", async () => {
  const { child, port, exited } = await running({ SHUTDOWN_TIMEOUT_MS: "200" });
  const socket = await halfAsked(port, "/");
  child.kill("SIGTERM");
  expect(await exited).toEqual([1, null]);
  socket.destroy();
});

test("a bad setting ends the start with one sentence", async () => {
  const { child, exited } = run({ PORT: "soon" });
  const said = child.stderr ? text(child.stderr) : "";
  expect(await exited).toEqual([1, null]);
  expect(await said).toBe('PORT: expected a whole number from 0 to 65535, got "soon".\n');
});

async function scraped(port: number): Promise<Family[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  return familiesOf(await answer.text());
}

test("the README's table has every metric of the running app: its kind, its labels and what it says", async () => {
  const { metricsPort } = await running();
  const live = (await scraped(metricsPort)).map(({ name, kind, help, series: [one] }) => {
    const labels = Object.keys(one?.labels ?? {}).filter((label) => label !== "le");
    return { name, kind, help, labels: one ? labels.join(", ") : undefined }; // a histogram without a value shows no labels
  });
  const readme = readFileSync(join(app, "README.md"), "utf8");
  const rows = readme.matchAll(/^\| `(\w+)` +\| (gauge|counter|histogram) +\| (.*?) +\| (.*?) +\|$/gm);
  const told = [...rows].map(([, name, kind, labels = "", help]) => ({ name, kind, help, labels }));
  expect(live.map((metric, n) => ({ ...metric, labels: metric.labels ?? told[n]?.labels }))).toEqual(told);
});

test("the metrics can be read until the app's last request is done", async () => {
  const { child, port, metricsPort, stopping, exited } = await running();
  const socket = await halfAsked(port, "/version");
  child.kill("SIGTERM");
  await stopping;
  const duration = (await scraped(metricsPort)).find(({ name }) => name === "http_request_duration_seconds");
  expect(duration?.series).toContainEqual(
    expect.objectContaining({ value: 1, labels: expect.objectContaining({ route: "/version" }) }),
  );
  socket.write("\r\n");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200/);
  expect(await exited).toEqual([0, null]);
});

test("a blank METRICS_PORT serves no metrics, and the app all the same", async () => {
  const { port, metricsPort } = await running({ METRICS_PORT: "" });
  expect(metricsPort).toBeUndefined();
  expect((await fetch(`http://127.0.0.1:${port}/version`)).status).toBe(200);
});

test.each(["PORT", "METRICS_PORT"])("a %s that is taken ends the start, though the other one is free", async (name) => {
  const { port } = await running();
  const { child, exited } = run({ PORT: "0", METRICS_PORT: "0", [name]: String(port) });
  const said = child.stderr ? text(child.stderr) : "";
  expect(await exited).toEqual([1, null]);
  expect(await said).toContain("EADDRINUSE");
});
