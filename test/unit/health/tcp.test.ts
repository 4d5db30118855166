import type { Socket } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { freePort, stopServers, tcpServer } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

const once = { timeout: "1s", interval: "1s", "request-timeout": "400ms" };

test("a connection is enough", async () => {
  const { place } = await tcpServer(() => {});
  const { status, only } = await verified({ url: `tcp://${place}`, ...once });
  expect([status, only.expected, only.seen]).toEqual(["healthy", "a connection", { connected: 1 }]);
});

test("no connection is not", async () => {
  const port = await freePort();
  const { status, only } = await verified({ url: `tcp://127.0.0.1:${port}`, ...once });
  expect([status, only.lastSeen]).toEqual(["unhealthy", `connect ECONNREFUSED 127.0.0.1:${port}`]);
});

test("sends the body as it is, and reads until the pattern matches, across pieces", async () => {
  const heard: string[] = [];
  const { place } = await tcpServer((socket) =>
    socket.setEncoding("utf8").once("data", (text) => {
      heard.push(String(text));
      socket.write("+PO");
      setImmediate(() => socket.write("NG\r\n"));
    }),
  );
  const { status, only } = await verified({
    url: `tcp://${place}`,
    body: "PING\r\n",
    "expect-body": "^\\+PONG\\r\\n",
    ...once,
  });
  expect([status, only.lastBody, heard]).toEqual(["healthy", "+PONG\r\n", ["PING\r\n"]]);
});

test("a wrong banner that nothing follows is what was seen, and a silent server is a timeout", async () => {
  const wrong = await tcpServer((socket) => socket.write("220 mail"));
  const mail = await verified({ url: `tcp://${wrong.place}`, "expect-body": "^SSH", ...once });
  expect([mail.only.seen, mail.only.lastBody]).toEqual([{ "connected wrong body": 1 }, "220 mail"]);
  const silent = await tcpServer(() => {});
  const { only } = await verified({ url: `tcp://${silent.place}`, "expect-body": "^SSH", ...once });
  expect([only.seen, only.lastBody]).toEqual([{ timeout: 1 }, ""]);
});

const bad: readonly [what: string, serve: (socket: Socket) => void, seen: RegExp][] = [
  ["is silent", () => {}, /^no answer within 0\.4 s$/],
  [
    "says something else",
    (s) => s.write("220 mail"),
    /^no answer that matches \/\^SSH\/ \(so far: "220 mail"\) within 0\.4 s$/,
  ],
  ["closes at once", (s) => s.end(), /^the connection was closed without an answer$/],
  [
    "closes after something else",
    (s) => s.end("no"),
    /^the connection was closed, and the answer does not match \/\^SSH\/: "no"$/,
  ],
  [
    "sends for ever",
    (s) => s.write("x".repeat(100_000)),
    /^the first 64 KiB of the answer do not match \/\^SSH\/: "x{200}…"$/,
  ],
];
test.each(bad)("a server that %s is unhealthy, in time", async (_what, serve, seen) => {
  const { place } = await tcpServer(serve);
  const { status, only } = await verified({ url: `tcp://${place}`, "expect-body": "^SSH", ...once });
  expect([status, only.lastSeen]).toEqual(["unhealthy", expect.stringMatching(seen)]);
});
