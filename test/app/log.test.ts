import { expect, test } from "@jest/globals";
import request from "supertest";
import { sampleApp } from "./sample";

test("each request is one JSON line with its id, route, status, time and release", async () => {
  const { app, lines } = sampleApp({ version: "3" });
  await request(app).get("/version?token=secret").set("X-Request-Id", "abc.DEF_1-2");
  expect(lines).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      release: "3",
      requestId: "abc.DEF_1-2",
      method: "GET",
      path: "/version",
      route: "/version",
      status: 200,
      ms: expect.any(Number),
      ip: expect.any(String),
      msg: "GET /version 200",
    },
  ]);
});

test.each(["/health", "/status"])("a poll of %s is logged at debug only", async (path) => {
  const { app, health, lines } = sampleApp();
  health.stopping();
  await request(app).get(path);
  expect(lines).toMatchObject([{ level: "debug", path }]);
});

test("a plain request id is kept and answered", async () => {
  await request(sampleApp().app)
    .get("/version")
    .set("X-Request-Id", "a".repeat(64))
    .expect("X-Request-Id", "a".repeat(64));
});

test.each([
  ["too long", "a".repeat(65)],
  ["not plain", 'x","level":"fatal'],
  ["empty", ""],
])("a request id that is %s is replaced", async (_what, given) => {
  const { app, lines } = sampleApp();
  const answer = await request(app).get("/version").set("X-Request-Id", given);
  expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines).toMatchObject([{ requestId: answer.headers["x-request-id"] }]);
});

test.each([
  ["the proxy's own word, not the client's", 1, "10.9.9.9, 203.0.113.7", "203.0.113.7"],
  ["the connection's address when no proxy is trusted", 0, "203.0.113.7", "127.0.0.1"],
  ["the first address that is no trusted proxy's", ["loopback", "10.0.0.0/8"], "203.0.113.7, 10.0.0.4", "203.0.113.7"],
])("the client's address is %s", async (_what, trustProxy, forwarded, ip) => {
  const { app, lines } = sampleApp({ trustProxy });
  await request(app).get("/version").set("X-Forwarded-For", forwarded);
  expect(String(lines[0]?.ip).replace("::ffff:", "")).toBe(ip);
});

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";

test.each([
  ["of the version that is current", `00-${trace}-00f067aa0ba902b7-01`],
  ["of a later version, which says more", `01-${trace}-00f067aa0ba902b7-01-more`],
])("a traceparent %s puts its trace into the line", async (_what, traceparent) => {
  const { app, lines } = sampleApp();
  await request(app).get("/version").set("traceparent", traceparent);
  expect(lines).toMatchObject([{ traceId: trace }]);
});

test.each([
  ["is not there", undefined],
  ["is no traceparent", "soon"],
  ["has capitals", `00-${trace.toUpperCase()}-00f067aa0ba902b7-01`],
  ["names no trace", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
  ["names no parent", `00-${trace}-${"0".repeat(16)}-01`],
  ["has the version that is forbidden", `ff-${trace}-00f067aa0ba902b7-01`],
  ["says more than its version may", `00-${trace}-00f067aa0ba902b7-01-more`],
  ["comes twice", [`00-${trace}-00f067aa0ba902b7-01`, `00-${trace}-00f067aa0ba902b7-01`]],
])("the line has no trace when the traceparent %s", async (_what, traceparent) => {
  const { app, lines } = sampleApp();
  const asked = request(app).get("/version");
  await (traceparent === undefined ? asked : asked.set("traceparent", traceparent as string));
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toHaveProperty("traceId");
});
