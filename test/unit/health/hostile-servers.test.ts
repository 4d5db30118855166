import type { Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { stopServers, tcpServer } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

/** Writes a piece again and again until nobody reads any more. */
function drip(socket: Socket, piece: string, every: number, before = ""): void {
  socket.write(before);
  const timer = setInterval(() => socket.write(piece), every);
  socket.on("close", () => clearInterval(timer));
}

function flood(socket: Socket, piece: string, before: string): void {
  socket.write(before);
  const pump = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", pump);
  pump();
}

const ok = "HTTP/1.1 200 OK\r\n";

const hostile: readonly [what: string, serve: (socket: Socket) => void, seen: RegExp, kind: string][] = [
  ["takes the connection and is silent", () => {}, /^no answer within 0\.4 s$/, "timeout"],
  [
    "sends its headers a byte at a time, for ever",
    (s) => drip(s, "x", 10, `${ok}x-slow: `),
    /^no answer within 0\.4 s$/,
    "timeout",
  ],
  [
    "sends one more interim answer, for ever",
    (s) => drip(s, "HTTP/1.1 103 Early Hints\r\n\r\n", 10),
    /^no answer within 0\.4 s$/,
    "timeout",
  ],
  [
    "sends its body a byte at a time, for ever",
    (s) => drip(s, "x", 10, `${ok}\r\n`),
    /^no end of the answer \(status 200\) within 0\.4 s$/,
    "timeout",
  ],
  [
    "sends one more header, for ever",
    (s) => flood(s, `x-a: ${"y".repeat(1000)}\r\n`, ok),
    /^the headers of the answer are longer than 16 KiB/,
    "HPE_HEADER_OVERFLOW",
  ],
  [
    "sends garbage",
    (s) => s.end(Buffer.from([0, 255, 1, 2, 13, 10, 13, 10])),
    /^the answer is not HTTP/,
    "HPE_INVALID_CONSTANT",
  ],
  [
    "sends another protocol",
    (s) => s.end("SSH-2.0-OpenSSH_9.2\r\n"),
    /^the answer is not HTTP/,
    "HPE_INVALID_CONSTANT",
  ],
  [
    "closes at once",
    (s) => s.end(),
    /^(the connection was closed without an answer|the connection was reset)/,
    "closed",
  ],
  [
    "resets the connection",
    (s) => s.resetAndDestroy(),
    /^the connection was reset before the answer was whole/,
    "ECONNRESET",
  ],
  [
    "closes in the middle of the body",
    (s) => s.end(`${ok}content-length: 100\r\n\r\nhalf`),
    /^the connection was reset before the answer was whole/,
    "ECONNRESET",
  ],
  [
    "lies about a chunk",
    (s) => s.end(`${ok}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    /^the connection was reset before the answer was whole/,
    "ECONNRESET",
  ],
  [
    "switches to another protocol unasked",
    (s) => s.end("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    /closed without an answer|reset/,
    "closed",
  ],
];

test.each(hostile)("a server that %s is unhealthy, in time", async (_what, serve, seen, kind) => {
  const { place } = await tcpServer((socket) => {
    socket.on("error", () => {});
    if (serve.length === 0) return;
    socket.once("data", () => serve(socket));
  });
  const { status, only, duration } = await verified({ url: `http://${place}/`, timeout: "1s", interval: "550ms" });
  expect(only.lastSeen).toMatch(seen);
  expect([status, only.attempts]).toEqual(["unhealthy", 2]);
  if (kind !== "closed") expect(only.seen).toEqual({ [kind]: 2 });
  expect(duration).toBeLessThan(1500);
});

test("an endless body is read to 1 MiB, and judged by that", async () => {
  const { place } = await tcpServer((socket) =>
    socket.once("data", () => {
      flood(socket, "ready ".repeat(1000), `${ok}\r\n`);
    }),
  );
  const { status, only } = await verified({
    url: `http://${place}/`,
    "expect-body": "ready ready",
    "request-timeout": "5s",
  });
  expect([status, only.lastBody.length]).toEqual(["healthy", 1024 * 1024]);
});

test("a body that a pattern would take years for is wrong after a moment", async () => {
  const body = `${"a".repeat(60)}!`;
  const { place } = await tcpServer((socket) => socket.once("data", () => socket.end(`${ok}\r\n${body}`)));
  const started = performance.now();
  const { only } = await verified({ url: `http://${place}/`, "expect-body": "^(a+)+$", timeout: "1s", interval: "1s" });
  expect(only.lastSeen).toBe(`status 200, but /^(a+)+$/ did not end on the body: "${body}"`);
  expect(only.seen).toEqual({ "200 wrong body": 1 });
  expect(performance.now() - started).toBeLessThan(10_000); // on a busy machine, too; years, without the limit
});

test("a text that trim() in expect-json would take minutes for is wrong after a moment", async () => {
  const body = JSON.stringify({ version: `a${" ".repeat(500_000)}b` });
  const { place } = await tcpServer((socket) => socket.once("data", () => socket.end(`${ok}\r\n${body}`)));
  const json = { "expect-json": "trim(version) = v2", "version-from": "json:trim(version)" };
  const { only, duration } = await verified({ url: `http://${place}/`, ...json, timeout: "1s", interval: "1s" });
  expect(only.lastSeen).toBe("status 200, but trim(version) = v2 does not hold: trim(version) did not end on the JSON");
  expect(only.seen).toEqual({ "200 wrong json": 1 });
  expect(duration).toBeLessThan(2000);
});

test("JSON that is nested a hundred thousand deep is judged, not fallen over", async () => {
  const body = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const { place } = await tcpServer((socket) => socket.once("data", () => socket.end(`${ok}\r\n${body}`)));
  const { only } = await verified({
    url: `http://${place}/`,
    "expect-json": "@ = [[[]]]",
    timeout: "1s",
    interval: "1s",
  });
  expect(only.seen).toEqual({ "200 wrong json": 1 });
});

test("what takes the connection and says nothing to TLS is named so", async () => {
  const { place } = await tcpServer(() => {});
  const { only } = await verified({ url: `https://${place}/`, timeout: "1s", interval: "1s" });
  expect(only.lastSeen).toBe("no TLS handshake within 0.4 s");
});

test("many checks of silent servers end together, each within its own limit", async () => {
  const { port } = await tcpServer(() => {});
  const url = Array.from({ length: 20 }, (_, index) => `http://127.0.0.1:${port}/${index}`).join("\n");
  const { status, checks, duration } = await verified({ url, timeout: "1s", interval: "550ms" });
  expect([status, checks.length]).toEqual(["unhealthy", 20]);
  expect(duration).toBeLessThan(2000);
});
