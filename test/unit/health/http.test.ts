import { afterEach, expect, test } from "@jest/globals";
import { freePort, httpServer, inTurn, saying, stopServers } from "../../support/servers";
import { leapingClock, verified } from "../../support/verifying";

afterEach(stopServers);

test("asks as the inputs say: method, headers, login, body and its length", async () => {
  const { place, requests } = await httpServer(inTurn(201));
  const { status } = await verified({
    url: `http://${place}/orders?dry=1`,
    method: "POST",
    headers: "Content-Type: application/json\nX-Probe: a: b",
    "basic-auth": "me:pa:ss wörd",
    body: '{"ü": 1}',
  });
  expect(status).toBe("healthy");
  expect(requests).toHaveLength(1);
  expect(requests[0]).toMatchObject({
    line: "POST /orders?dry=1",
    body: '{"ü": 1}',
    headers: {
      host: place,
      "content-type": "application/json",
      "content-length": "9",
      "x-probe": "a: b",
      authorization: `Basic ${Buffer.from("me:pa:ss wörd").toString("base64")}`,
      "user-agent": "hello-devops",
    },
  });
});

test("sends bearer-token, and a body with GET too", async () => {
  const { place, requests } = await httpServer(inTurn(200));
  await verified({ url: `http://${place}/`, "bearer-token": "abc.def", body: "x" });
  expect(requests[0]).toMatchObject({ line: "GET /", body: "x", headers: { authorization: "Bearer abc.def" } });
});

const expectations: readonly [what: string, inputs: Record<string, string>, seen: string | undefined][] = [
  ["a status in expect-status", { "expect-status": "404, 418-420" }, undefined],
  ["a status outside expect-status", {}, 'status 418, body "{"status":"ok","n":5,"v":"7","deep":{"list":[1,2,3]}}"'],
  ["a body that matches", { "expect-status": "418", "expect-body": '"n":[1-9]' }, undefined],
  ["a header with its value", { "expect-status": "418", "expect-header": "X-Release: v7" }, undefined],
  ["a header by its pattern", { "expect-status": "418", "expect-header": "x-release: /^v\\d$/" }, undefined],
  ["a header that is there", { "expect-status": "418", "expect-header": "X-Release" }, undefined],
  [
    "a header with another value",
    { "expect-status": "418", "expect-header": "X-Release: v8" },
    'status 418, but X-Release is "v7", not "v8"',
  ],
  [
    "a header that its pattern does not match",
    { "expect-status": "418", "expect-header": "X-Release: /8/" },
    'status 418, but X-Release is "v7", which does not match /8/',
  ],
  [
    "a missing header",
    { "expect-status": "418", "expect-header": "X-Other" },
    "status 418, but there is no header X-Other",
  ],
  [
    "JSON by path, number and text",
    {
      "expect-status": "418",
      "expect-json":
        'status = ok\nstatus = "ok"\nn = 5\nn >= 5\nn < 5.5\nv = 7\nv = "7"\nn != "5"\nnone = null\ndeep.list[?@ < `3`] | length(@) > 1\ndeep = {"list": [1, 2, 3]}\ndeep.list != [1]',
    },
    undefined,
  ],
  [
    "JSON that differs",
    { "expect-status": "418", "expect-json": "n > 5" },
    "status 418, but n > 5 does not hold: it is 5",
  ],
  [
    "quoted text where a number is",
    { "expect-status": "418", "expect-json": 'n = "5"' },
    'status 418, but n = "5" does not hold: it is 5',
  ],
  [
    "an order of text",
    { "expect-status": "418", "expect-json": "v < 9" },
    'status 418, but v < 9 does not hold: it is "7"',
  ],
  [
    "a function that gets another type",
    { "expect-status": "418", "expect-json": "length(n) = 1" },
    "status 418, but length(n) = 1 does not hold: Invalid type: length() expected argument 1 to be type (string | array | object) but received type number instead.",
  ],
  ["the version in a header", { "expect-status": "418", "expect-version": "v7" }, undefined],
  ["the version in JSON", { "expect-status": "418", "expect-version": "5", "version-from": "json:n" }, undefined],
  [
    "another version",
    { "expect-status": "418", "expect-version": "v8" },
    'status 418, but X-Release is "v7", not "v8"',
  ],
  [
    "a version that is nowhere",
    { "expect-status": "418", "expect-version": "v8", "version-from": "json:build.id" },
    'status 418, but the JSON\'s build.id names no release, not "v8"',
  ],
];
test.each(expectations)("judges %s", async (_what, inputs, seen) => {
  const json = '{"status":"ok","n":5,"v":"7","deep":{"list":[1,2,3]}}';
  const { place } = await httpServer(saying(json, { "x-release": "v7" }, 418));
  const { status, only } = await verified({ url: `http://${place}/`, interval: "1s", ...inputs });
  expect([status, seen && only.lastSeen]).toEqual([seen === undefined ? "healthy" : "unhealthy", seen]);
});

test("a body that is no JSON is told", async () => {
  const { place } = await httpServer(saying("<html>"));
  const { only } = await verified({ url: `http://${place}/`, interval: "1s", "expect-json": "a = 1" });
  expect([only.lastSeen, only.lastKind]).toEqual(['status 200, but the body is no JSON: "<html>"', "200 wrong json"]);
});

test("JSON that is longer than what is read of it is not called none", async () => {
  const { place } = await httpServer(saying(JSON.stringify({ a: 1, b: "x".repeat(2 ** 20) })));
  const { only } = await verified({ url: `http://${place}/`, interval: "1s", "expect-json": "a = 1" });
  expect(only.lastSeen).toMatch(/^status 200, but the body is longer than 1 MiB, and what was read of it no JSON: /);
});

test("a last attempt that the timeout cuts short wipes out nothing of what was seen", async () => {
  const { place } = await httpServer(inTurn(saying("down", { "x-release": "v1" }, 503), () => {}));
  const inputs = { url: `http://${place}/`, timeout: "1s", interval: "600ms", "request-timeout": "5s" };
  const { status, only } = await verified(inputs);
  expect([status, only.seen, only.lastBody, only.lastSeen]).toEqual([
    "unhealthy",
    { "503": 1 },
    "down",
    'status 503, body "down"',
  ]);
});

test("a hold names every release that answered right in it, and none from before its row", async () => {
  const of = (version: string) => saying("", { "x-release": version });
  const { place } = await httpServer(inTurn(of("v0"), 500, of("v1"), of("v2"), of("v3"), 500, of("v2")));
  const inputs = { url: `http://${place}/`, threshold: "2", hold: "400ms", "max-failures": "1", timeout: "2s" };
  const { status, only } = await verified(inputs);
  expect([status, only.version]).toEqual(["healthy", "v1, v2, v3"]);
});

test("waits for the right release while an older one answers, and says once that it did", async () => {
  const old = saying("", { "x-release": "v1" });
  const { place } = await httpServer(inTurn(503, old, old, old, saying("", { "x-release": "v2" })));
  const { status, only, lines } = await verified({ url: `http://${place}/`, "expect-version": "v2" });
  expect([status, only.version, only.attempts]).toEqual(["healthy", "v2", 5]);
  expect(only.seen).toEqual({ "503": 1, "200 wrong version": 3, "200": 1 });
  expect(lines.map((line) => line.replace(/\d+ ms/g, "N ms").replace(`http://${place}/: `, ""))).toEqual([
    'expects status 200-299, X-Release "v2"',
    "wrong: status 503",
    'wrong: status 200, but X-Release is "v1", not "v2"',
    "status 200 in N ms",
    "healthy, 5 attempts, p50 N ms, p95 N ms, last seen: status 200 in N ms",
  ]);
});

test("names the release that answers when none is expected", async () => {
  const { place } = await httpServer(saying("", { "x-release": "v9" }));
  expect((await verified({ url: `http://${place}/` })).only.version).toBe("v9");
});

test("a server that flaps gets no row of threshold right answers", async () => {
  const flapping = (index: number) => (index % 3 === 2 ? 500 : 200);
  const { place } = await httpServer((_request, response, index) => response.writeHead(flapping(index)).end());
  const inputs = { url: `http://${place}/`, threshold: "3", timeout: "1m", interval: "1s" };
  const { status, only } = await verified(inputs, { clock: leapingClock() });
  expect([status, only.seen]).toEqual(["unhealthy", { "200": 40, "500": 20 }]);
  expect(only.reason).toBe(`http://${place}/: it did not become healthy within 60 s; last seen: status 500.`);
});

test("comes up late: healthy from the moment on at which it answers", async () => {
  const port = await freePort();
  const seen = verified(
    { url: `http://127.0.0.1:${port}/`, timeout: "10s", interval: "100ms" },
    {
      onLine: (line) => {
        if (line.includes("ECONNREFUSED")) void httpServer(inTurn(200), "127.0.0.1", port);
      },
    },
  );
  const { status, only } = await seen;
  expect(status).toBe("healthy");
  expect([only.seen["200"], Object.keys(only.seen).sort()]).toEqual([1, ["200", "ECONNREFUSED"]]);
});

const holding = { timeout: "1m", interval: "1s", hold: "10s" };
const holds: readonly [
  what: string,
  answers: number[],
  inputs: Record<string, string>,
  status: string,
  reason: RegExp,
][] = [
  ["right answers to its end", [200], {}, "healthy", /^$/],
  [
    "a wrong answer",
    [200, 200, 500, 200],
    {},
    "unhealthy",
    /it did not stay healthy: 1 wrong answer in the hold, and max-failures is 0/,
  ],
  ["as many wrong answers as max-failures", [200, 500, 200, 500, 200], { "max-failures": "2" }, "healthy", /^$/],
  [
    "one more than max-failures",
    [200, 500, 200, 500, 200, 500],
    { "max-failures": "2" },
    "unhealthy",
    /3 wrong answers in the hold/,
  ],
];
test.each(holds)("a hold with %s", async (_what, answers, inputs, status, reason) => {
  const { place, requests } = await httpServer(inTurn(...answers));
  const outcome = await verified({ url: `http://${place}/`, ...holding, ...inputs }, { clock: leapingClock() });
  expect(outcome.status).toBe(status);
  expect(outcome.only.reason).toMatch(reason);
  expect(requests).toHaveLength(status === "healthy" ? 11 : answers.lastIndexOf(500) + 1);
});

test("answers that are too slow are waited on, and the percentile is told at the end", async () => {
  const slow = (_request: unknown, response: { end(): void }) => void setTimeout(() => response.end(), 60);
  const { place } = await httpServer(slow);
  const { status, only } = await verified({ url: `http://${place}/`, "max-latency": "20ms", threshold: "2" });
  expect(status).toBe("unhealthy");
  expect(only.reason).toMatch(
    /did not become healthy within 1 s \(p95 of 2 answers is \d+ ms, more than 20 ms \(max-latency\)\)/,
  );
});

test("one slow start is forgotten once threshold answers are quick", async () => {
  const slow = (_request: unknown, response: { end(): void }) => void setTimeout(() => response.end(), 150);
  const { place } = await httpServer(inTurn(slow, 200));
  const { status, only } = await verified({ url: `http://${place}/`, "max-latency": "100ms", threshold: "2" });
  expect([status, only.attempts]).toEqual(["healthy", 3]);
});

test("the latency of the whole hold counts at its end, at latency-percentile", async () => {
  const slow = (_request: unknown, response: { end(): void }) => void setTimeout(() => response.end(), 120);
  const answers = inTurn(200, 200, slow, slow, 200);
  const inputs = { ...holding, hold: "4s", "max-latency": "90ms" };
  const [strict, lax] = await Promise.all(
    ["95", "50"].map(async (percentile) => {
      const { place } = await httpServer(answers);
      return verified(
        { url: `http://${place}/`, ...inputs, "latency-percentile": percentile },
        { clock: leapingClock() },
      );
    }),
  );
  expect([strict?.status, lax?.status]).toEqual(["unhealthy", "healthy"]);
  expect(strict?.only.reason).toMatch(/p95 of 4 answers is \d+ ms, more than 90 ms \(max-latency\)/);
});

test("every check goes on to its own end, and one that is unhealthy makes the whole so", async () => {
  const good = await httpServer(inTurn(503, 503, 200));
  const bad = await httpServer(inTurn(503));
  const { status, checks } = await verified({ url: `http://${bad.place}/ http://${good.place}/` });
  expect(status).toBe("unhealthy");
  expect(checks.map((check) => check.status)).toEqual(["unhealthy", "healthy"]);
});

test("a cancelled job is inconclusive, with what was seen until then", async () => {
  const cancel = new AbortController();
  const { place } = await httpServer(inTurn(503));
  const outcome = await verified(
    { url: `http://${place}/`, timeout: "10m" },
    { cancel: cancel.signal, onLine: (line) => line.includes("503") && cancel.abort(new Error("SIGINT")) },
  );
  expect([outcome.status, outcome.cancelled, outcome.only.seen]).toEqual(["inconclusive", true, { "503": 1 }]);
  expect(outcome.only.reason).toBe(
    `http://${place}/: the job was cancelled before it was known; last seen: status 503.`,
  );
});
