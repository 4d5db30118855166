import { createServer } from "node:http";
import { createServer as createHttps } from "node:https";
import { afterEach, expect, test } from "@jest/globals";
import { type WebSocket, WebSocketServer } from "ws";
import { authority, certificate } from "../../support/certificates";
import { httpServer, inTurn, listening, stopServers, tcpServer } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

const once = { timeout: "1s", interval: "1s", "request-timeout": "400ms" };

interface Options {
  readonly headers?: readonly string[];
  readonly tls?: { key: string; cert: string };
}

async function webSocketServer(onSocket: (socket: WebSocket) => void, { headers = [], tls }: Options = {}) {
  const server = tls ? createHttps(tls) : createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: (protocols) => [...protocols][0] ?? false });
  const asked: Record<string, unknown>[] = [];
  sockets.on("headers", (written, request) => {
    asked.push({ url: request.url, ...request.headers });
    written.push(...headers);
  });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  return { ...(await listening(server)), asked };
}

const echo = (socket: WebSocket) => socket.on("message", (data) => socket.send(`you said ${data}`));

test("a handshake is enough, and the socket is closed after it", async () => {
  const closed: Promise<void>[] = [];
  const { place, asked } = await webSocketServer((socket) => {
    closed.push(new Promise((resolve) => socket.on("close", () => resolve())));
  });
  const headers = "Origin: https://shop.test\nSec-WebSocket-Protocol: graphql-ws, other";
  const inputs = { url: `ws://${place}/live?t=1`, headers, "bearer-token": "abc", ...once };
  const { status, only } = await verified(inputs);
  expect([status, only.expected, only.seen]).toEqual(["healthy", "a WebSocket handshake", { "101": 1 }]);
  expect(asked[0]).toMatchObject({
    url: "/live?t=1",
    host: place,
    origin: "https://shop.test",
    authorization: "Bearer abc",
    "sec-websocket-protocol": "graphql-ws,other",
  });
  await Promise.all(closed);
});

test("over TLS, with the certificate judged", async () => {
  const ours = authority("ours");
  const tls = certificate({ by: ours, to: 5 });
  const { place } = await webSocketServer(() => {}, { tls });
  const inputs = { url: `wss://${place}/`, "ca-certificate": ours.pem, ...once };
  const good = await verified(inputs);
  expect([good.status, good.only.certificateExpires]).toEqual(["healthy", tls.expires]);
  const { only } = await verified({ ...inputs, "min-certificate-days": "6" });
  expect([only.lastKind, only.lastSeen]).toEqual(["101 certificate", expect.stringMatching(/in 4 days/)]);
  expect((await verified({ url: `wss://${place}/`, ...once })).only.lastSeen).toMatch(
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  );
});

test("sends the body as a message, and reads until an answer is right", async () => {
  const { place } = await webSocketServer((socket) => {
    socket.send("welcome");
    echo(socket);
  });
  const { status, only } = await verified({
    url: `ws://${place}/`,
    body: "ping",
    "expect-body": "^you said ping$",
    ...once,
  });
  expect([status, only.lastBody]).toEqual(["healthy", "you said ping"]);
});

test("reads JSON and the version from messages, and headers from the handshake", async () => {
  const message = '{"build":{"id":7},"ok":true}';
  const { place } = await webSocketServer((socket) => socket.send(message), { headers: ["x-release: v7"] });
  const url = `ws://${place}/`;
  const json = { "expect-json": "ok = true", "version-from": "json:build.id", "expect-version": "7" };
  const good = await verified({ url, ...once, ...json, "expect-header": "X-Release: v7" });
  expect([good.status, good.only.version]).toEqual(["healthy", "7"]);
  const old = await verified({ url, ...once, "expect-version": "v8" });
  expect([old.only.lastKind, old.only.version]).toEqual(["101 wrong version", "v7"]);
});

const bad: readonly [
  what: string,
  onSocket: (socket: WebSocket) => void,
  inputs: Record<string, string>,
  seen: RegExp,
][] = [
  ["shakes hands and is silent", () => {}, { "expect-body": "x" }, /^no message within 0\.4 s$/],
  [
    "says the wrong things",
    (socket) => socket.send("no"),
    { "expect-body": "^yes" },
    /^no right message \(the last one: status 101, but the body does not match \/\^yes\/: "no"\) within 0\.4 s$/,
  ],
  [
    "closes without a message",
    (socket) => socket.close(1011),
    { "expect-body": "x" },
    /closed without a message \(code 1011\)/,
  ],
  [
    "closes after a wrong one",
    (socket) => {
      socket.send("no");
      socket.close();
    },
    { "expect-body": "^yes" },
    /^status 101, but the body does not match/,
  ],
  [
    "sends more than 1 MiB at once",
    (socket) => socket.send("x".repeat(2 ** 20 + 1)),
    { "expect-body": "y" },
    /Max payload size exceeded/,
  ],
  [
    "sends what a pattern takes years for",
    (socket) => socket.send(`${"a".repeat(60)}!`),
    { "expect-body": "^(a+)+$" },
    /did not end on the body/,
  ],
];
test.each(bad)("a WebSocket that %s is unhealthy, in time", async (_what, onSocket, inputs, seen) => {
  const { place } = await webSocketServer(onSocket);
  const { status, only, duration } = await verified({ url: `ws://${place}/`, ...once, ...inputs });
  expect([status, only.lastSeen]).toEqual(["unhealthy", expect.stringMatching(seen)]);
  expect(duration).toBeLessThan(1500);
});

test("a wrong message that no right one follows is what was seen, with its body and release", async () => {
  const { place } = await webSocketServer((socket) => socket.send('{"v":"v1","ok":false}'));
  const json = { "expect-json": "ok = true", "version-from": "json:v" };
  const { only } = await verified({ url: `ws://${place}/`, ...json, ...once });
  expect([only.seen, only.lastBody, only.version]).toEqual([{ "101 wrong json": 1 }, '{"v":"v1","ok":false}', "v1"]);
});

test("a burst of messages that a pattern takes years for costs the time of one", async () => {
  const { place } = await webSocketServer((socket) => {
    for (let index = 0; index < 20; index++) socket.send(`${"a".repeat(60)}!`);
  });
  const inputs = { url: `ws://${place}/`, "expect-body": "^(a+)+$", ...once };
  const { only, duration } = await verified(inputs);
  expect([only.lastKind, only.lastSeen]).toEqual(["101 wrong body", expect.stringMatching(/did not end on the body/)]);
  expect(duration).toBeLessThan(1000);
});

test("a burst of messages, each of them slow to judge, does not outlast the attempt", async () => {
  const { place } = await webSocketServer((socket) => {
    for (let index = 0; index < 100; index++) socket.send(`${"a".repeat(19)}!`); // tens of milliseconds each
  });
  const { only, duration } = await verified({ url: `ws://${place}/`, "expect-body": "^(a+)+$", ...once });
  expect(only.lastSeen).toMatch(/within 0\.4 s$/);
  expect(duration).toBeLessThan(1000);
});

test("a server that takes the connection and never shakes hands is unhealthy, in time", async () => {
  const { place } = await tcpServer(() => {});
  expect((await verified({ url: `ws://${place}/`, ...once })).only.lastSeen).toBe(
    "no WebSocket handshake within 0.4 s",
  );
});

test("a refused upgrade names its status", async () => {
  const { place } = await httpServer(inTurn(403));
  const { only } = await verified({ url: `ws://${place}/`, ...once });
  expect([only.lastKind, only.lastSeen]).toEqual(["403", "status 403 in place of a WebSocket"]);
});

test("a handshake with the wrong key is none", async () => {
  const answer =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n";
  const { place } = await tcpServer((socket) => socket.once("data", () => socket.write(answer)));
  expect((await verified({ url: `ws://${place}/`, ...once })).only.lastSeen).toBe(
    "Invalid Sec-WebSocket-Accept header",
  );
});
