import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "@jest/globals";
import express from "express";
import type { Registry } from "prom-client";
import request from "supertest";
import { Metrics } from "../../app/src/metrics";
import { metricsPage } from "../../app/src/metrics-page";
import { failed } from "../../app/src/problem";
import { Traffic } from "../../app/src/traffic";
import { deferred } from "./deferred";
import { sampleApp } from "./sample";
import { familiesOf, seriesOf } from "./series";

/** How many requests each combination of labels counts; those that none has are left out. */
async function counted(registry: Registry): Promise<string[]> {
  const counts = seriesOf(await registry.metrics()).filter(({ name, value }) => name.endsWith("_count") && value > 0);
  return counts.map(({ labels, value }) => `${labels.method} ${labels.route} ${labels.status} x${value}`);
}

/** Resolves to its port; `unref`, so that a test that fails leaves nothing running. */
async function listening(app: RequestListener): Promise<number> {
  const server = createServer(app).listen(0).unref();
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("each request is counted by its method, the route's pattern and its status", async () => {
  const { app, registry } = sampleApp({ faulty: true });
  await request(app).get("/version?a=1");
  await request(app).get("/VERSION/");
  await request(app).head("/version");
  await request(app).post("/version");
  await request(app).get("/fault/error");
  await request(app).get("/nope");
  await request(app).get("/%zz");
  expect((await counted(registry)).sort()).toEqual([
    "GET /fault/error 5xx x1",
    "GET /version 2xx x2",
    "GET unmatched 4xx x2",
    "HEAD /version 2xx x1",
    "POST /version 4xx x1",
  ]);
});

test("a route's requests and its errors are there at zero before the first", async () => {
  const { registry } = sampleApp();
  const routes = ["/", "/health", "/version", "/status", "/style.css", "/page.js"];
  const zeros = seriesOf(await registry.metrics()).filter(({ name, value }) => name.endsWith("_count") && value === 0);
  expect(zeros.map(({ labels }) => labels)).toEqual(
    routes.flatMap((route) => ["2xx", "5xx"].map((status) => ({ method: "GET", route, status }))),
  );
});

test("what a client makes up makes no series: paths, methods, hosts, queries and versions of HTTP", async () => {
  const { app, registry } = sampleApp();
  const port = await listening(app);
  const hostile = Array.from({ length: 10_000 }, (_, n) => {
    const method = ["GET", "PROPFIND", "M-SEARCH", "PURGE", "BIND"][n % 5];
    return `${method} /${n}-%22%0A%7B?${n} HTTP/1.${n % 2}\r\nHost: ${n}"{}.example\r\nConnection: keep-alive\r\n\r\n`;
  });
  const before = await registry.metrics();
  const client = connect(port).resume();
  client.write(`${hostile.join("")}GET /version HTTP/1.0\r\n\r\n`);
  await once(client, "close");
  expect(await counted(registry)).toEqual([
    "GET /version 2xx x1",
    "GET unmatched 4xx x2000",
    "other unmatched 4xx x8000",
  ]);
  expect(seriesOf(await registry.metrics()).length - seriesOf(before).length).toBe(2 * (12 + 3)); // a histogram's series, twice
}, 60_000);

test("a request that its client gave up is neither an answer nor an error", async () => {
  const { app, registry } = sampleApp({ faulty: true });
  const [asked, over] = [deferred(), deferred()];
  const port = await listening((req, res) => {
    res.once("close", over.resolve);
    app(req, res);
    asked.resolve();
  });
  const client = connect(port);
  client.write("GET /fault/slow?ms=10000 HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked.promise;
  expect(await registry.metrics()).toMatch(/^http_requests_in_flight 1$/m);
  client.destroy();
  await over.promise;
  expect(await counted(registry)).toEqual(["GET /fault/slow aborted x1"]);
  expect(await registry.metrics()).toMatch(/^http_requests_in_flight 0$/m);
});

test("an answer that an error of ours cut short is an error", async () => {
  const metrics = new Metrics({ version: "1", commit: "abc" }, new Traffic());
  const app = express().use(metrics.observe);
  app.get("/half", (_req, res) => {
    res.write("half");
    throw new Error("no other half");
  });
  app.use(failed);
  await expect(request(app).get("/half")).rejects.toThrow();
  expect(await counted(metrics.registry)).toEqual(["GET /half 5xx x1"]);
});

test("the duration is in seconds, in buckets from 5 ms to 10 s", async () => {
  const { app, registry } = sampleApp({ faulty: true });
  await request(app).get("/fault/slow?ms=60").expect(200, { ms: 60 });
  const slow = seriesOf(await registry.metrics()).filter(({ labels }) => labels.route === "/fault/slow");
  const below = slow.filter(({ labels }) => labels.status === "2xx" && labels.le !== undefined);
  expect(below.map(({ labels }) => labels.le).join(" ")).toBe(
    "0.005 0.01 0.025 0.05 0.1 0.25 0.5 0.75 1 2.5 5 10 +Inf",
  );
  expect(below.filter(({ value }) => value === 0).map(({ labels }) => labels.le)).toContain("0.05");
});

test.each(["soon", "10001", "-1"])("/fault/slow?ms=%s is refused", async (ms) => {
  const { app } = sampleApp({ faulty: true });
  await request(app).get(`/fault/slow?ms=${ms}`).expect(400);
});

test.each(["/metrics", "/fault/error", "/fault/slow"])("%s is not on the app's port", async (path) => {
  await request(sampleApp().app).get(path).expect(404);
});

test("build_info says the release and its commit, whatever is in them", async () => {
  const { registry } = sampleApp({ version: '2"\n\\', commit: "c0ffee" });
  const info = familiesOf(await registry.metrics()).find(({ name }) => name === "build_info");
  expect(info?.series).toEqual([
    { name: "build_info", labels: { release: '2\\"\\n\\\\', commit: "c0ffee" }, value: 1 },
  ]);
});

test("the metrics' own port answers /metrics in Prometheus' format, and nothing else", async () => {
  const page = metricsPage(sampleApp().registry);
  await request(page).get("/metrics").expect(200).expect("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  await request(page).get("/").expect(404);
  await request(page).post("/metrics").expect(404);
});
