// One server for every image of the bed but the sample app. Usage: node misbehave.mjs BEHAVIOUR VERSION
// Behaviours: well, broken, exits, silent, slow20, turnsbad, errors5, ignoresterm, oom, otherport, chatty, hangs, crashes5.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [behaviour = "well", version = "1"] = process.argv.slice(2);
const started = performance.now();
const age = () => performance.now() - started;
let asked = 0;

const failsNow = {
  broken: (path) => path === "/health",
  turnsbad: () => age() > 5000,
  // /health stays good: only the traffic itself can tell that this release is bad. Every 20th request, so that tests can count.
  errors5: (path) => path !== "/health" && ++asked % 20 === 0,
};

const json = (response, value, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(value)}\n`);
};

const routes = {
  "/": (_, response) => response.end(`${behaviour} ${version}\n`),
  "/health": (_, response) => json(response, { status: "ok", version }),
  "/version": (_, response) => json(response, { version, behaviour }),
  "/headers": (request, response) => json(response, request.headers),
  "/env": (_, response) => json(response, process.env),
  "/slow": (_, response, query) => setTimeout(() => json(response, { version }), Number(query.get("ms") ?? 1000)),
  "/sse": streamEvents,
  "/chunks": streamChunks,
  "/upload": countBytes,
};

function streamEvents(_, response, query) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let sent = 0;
  const send = () => response.write(`data: ${JSON.stringify({ n: ++sent, version })}\n\n`);
  send();
  const timer = setInterval(send, Math.max(10, Number(query.get("ms") ?? 1000)));
  streams.add(response);
  response.on("close", () => {
    clearInterval(timer);
    streams.delete(response);
  });
}

/** A download that takes its time: each chunk is 64 KiB of "VERSION.N ", so that a reader can tell every byte. */
function streamChunks(_, response, query) {
  const count = Number(query.get("count") ?? 10);
  let sent = 0;
  const timer = setInterval(
    () => {
      response.write(Buffer.alloc(65536, `${version}.${++sent} `));
      if (sent < count) return;
      clearInterval(timer);
      response.end();
    },
    Math.max(10, Number(query.get("ms") ?? 100)),
  );
  response.on("close", () => clearInterval(timer));
}

/** `?sha256` hashes them, too. */
function countBytes(request, response, query) {
  const hash = query.has("sha256") ? createHash("sha256") : undefined;
  let bytes = 0;
  request.on("data", (chunk) => {
    bytes += chunk.length;
    hash?.update(chunk);
  });
  request.on("end", () => json(response, { bytes, version, sha256: hash?.digest("hex") }));
}

const streams = new Set();
const sockets = new Set();

const server = createServer((request, response) => {
  if (behaviour === "hangs") return;
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  if (failsNow[behaviour]?.(pathname)) return json(response, { error: `${behaviour}: on purpose`, version }, 500);
  const route = routes[pathname];
  if (route) route(request, response, searchParams);
  else json(response, { error: "not found" }, 404);
});

server.keepAliveTimeout = 65_000; // as an app behind a proxy should: a proxy may have a request on a connection that it ends

// A WebSocket that says everything back: enough of RFC 6455 for whole frames.
server.on("upgrade", (request, socket) => {
  if (!request.url.startsWith("/ws")) return socket.destroy();
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => socket.destroy());
  let rest = Buffer.alloc(0);
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (let frame = takeFrame(rest); frame; frame = takeFrame(rest)) {
      rest = rest.subarray(frame.length);
      if (frame.opcode === 8) return socket.end(writeFrame(8, frame.payload));
      socket.write(writeFrame(frame.opcode === 9 ? 10 : frame.opcode, frame.payload));
    }
  });
});

function takeFrame(data) {
  if (data.length < 6) return undefined;
  let size = data[1] & 127;
  let at = 2;
  if (size === 126 && data.length >= 8) {
    size = data.readUInt16BE(2);
    at = 4;
  } else if (size > 125) return undefined; // more than 64 KiB is more than a test sends
  if (data.length < at + 4 + size) return undefined;
  const mask = data.subarray(at, at + 4);
  const payload = Buffer.from(data.subarray(at + 4, at + 4 + size).map((byte, n) => byte ^ mask[n % 4]));
  return { opcode: data[0] & 15, payload, length: at + 4 + size };
}

function writeFrame(opcode, payload) {
  const head =
    payload.length < 126
      ? [128 | opcode, payload.length]
      : [128 | opcode, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

function stopGracefully() {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  for (const stream of streams) stream.end("event: end\ndata: {}\n\n");
  for (const socket of sockets) socket.end(writeFrame(8, Buffer.from([3, 233]))); // 1001: going away
  // A connection that never sent a byte is not idle to Node, and close() would wait for it for good.
  setInterval(() => server.closeIdleConnections(), 100);
  setTimeout(() => server.closeAllConnections(), 8000).unref();
}

const mebibyte = 1024 * 1024;

/** Takes memory until the limit ends it. Without a limit it stops by itself, for the machine's sake. */
function takeMemory() {
  const files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
  const limit = Math.min(...files.map(readNumber));
  if (limit > 2048 * mebibyte) {
    console.error("oom: no memory limit here, so nothing to run into");
    process.exit(1);
  }
  const taken = [];
  const take = () => {
    taken.push(Buffer.alloc(16 * mebibyte, 1));
    setTimeout(take, 5);
  };
  take();
}

function readNumber(file) {
  try {
    return Number(readFileSync(file, "utf8")) || Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function sayHostileThings() {
  const esc = "\u001b";
  const lines = [
    "::set-env name=X::y",
    "::add-mask::a",
    "  ::error::spaces before",
    "##[error]x",
    "text ##[group]in the middle",
  ];
  lines.push(
    `${esc}[31mred${esc}[0m ${esc}]0;title\u0007 ${esc}[2J`,
    "over\rwritten::warning::by a CR",
    "<script>alert(1)</script>",
  );
  lines.push(
    "| a | table |",
    "```",
    "%0A::debug::percent",
    "\u0000\u0008control",
    "\u202Eright to left",
    "x".repeat(5000),
  );
  for (const line of lines) process.stdout.write(`${line}\n`);
  process.stderr.write("Error: chatty ends on purpose\n");
  process.exitCode = 1;
}

const listen = () =>
  server.listen(behaviour === "otherport" ? 6000 : 5000, () => console.log(`${behaviour} ${version} listens`));

process.on("SIGTERM", behaviour === "ignoresterm" ? () => console.log("SIGTERM ignored") : stopGracefully);
if (behaviour === "exits") {
  console.error("Error: exits ends on purpose, before it listens");
  process.exitCode = 1;
  process.removeAllListeners("SIGTERM");
} else if (behaviour === "silent") {
  console.log("silent never listens");
  setInterval(() => {}, 60_000);
  process.on("SIGTERM", () => process.exit(0));
} else if (behaviour === "chatty") sayHostileThings();
else if (behaviour === "slow20") setTimeout(listen, 20_000);
else {
  listen();
  if (behaviour === "oom") setTimeout(takeMemory, 2000);
  if (behaviour === "crashes5") setTimeout(() => process.exit(3), 5000);
}
