import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { readVerifyInputs } from "../../../src/github/verify-inputs";
import { verify } from "../../../src/health/verify";
import { authority, certificate } from "../../support/certificates";
import { freePort, httpServer, httpsServer, inTurn, listening, stopServers, tcpServer } from "../../support/servers";
import { leapingClock, verified, verifySource } from "../../support/verifying";

afterEach(stopServers);

const once = { timeout: "1s", interval: "1s", "request-timeout": "400ms" };

interface Proxy {
  readonly url: URL;
  readonly asked: string[];
}

/** A proxy that knows where `*.test` is: at `port` of this machine. `status` = what it answers in place of serving. */
async function proxyTo(port: number, { status, login }: { status?: number; login?: string } = {}): Promise<Proxy> {
  const asked: string[] = [];
  const refuses = (given: string | undefined) =>
    status ?? (login && given !== `Basic ${Buffer.from(login).toString("base64")}` ? 407 : undefined);
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} for ${request.headers.host}`);
    const refused = refuses(request.headers["proxy-authorization"]);
    response.writeHead(refused ?? 204).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.on("error", () => {});
    const refused = refuses(request.headers["proxy-authorization"]);
    if (refused !== undefined) return void socket.end(`HTTP/1.1 ${refused} No\r\ncontent-length: 0\r\n\r\n`);
    const through = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    through.on("error", () => socket.destroy());
  });
  const { place } = await listening(server);
  return { url: new URL(`http://${place}`), asked };
}

const through = (proxy: URL) => ({ proxyOf: () => proxy });

test("asks for http with the whole URL, and says through which proxy", async () => {
  const proxy = await proxyTo(0);
  const { status, lines } = await verified({ url: "http://shop.test/health?x=1", ...once }, through(proxy.url));
  expect([status, proxy.asked]).toEqual(["healthy", ["GET http://shop.test/health?x=1 for shop.test"]]);
  expect(lines[0]).toBe(`http://shop.test/health?…: expects status 200-299, through the proxy ${proxy.url.host}`);
});

test("asks for https and ws through a tunnel, and judges the server's own certificate", async () => {
  const ours = authority("ours");
  const server = await httpsServer(certificate({ names: ["shop.test"], by: ours }), inTurn(200));
  const proxy = await proxyTo(server.port);
  const inputs = { "ca-certificate": ours.pem, ...once };
  expect((await verified({ url: "https://shop.test/", ...inputs }, through(proxy.url))).status).toBe("healthy");
  const other = await verified({ url: "https://other.test/", ...inputs }, through(proxy.url));
  expect(other.only.lastSeen).toMatch(/^the certificate is for shop\.test, not for other\.test/);
  await verified({ url: "ws://live.test:8080/", ...once }, through(proxy.url));
  expect(proxy.asked).toEqual(["CONNECT shop.test:443", "CONNECT other.test:443", "CONNECT live.test:8080"]);
});

test("logs in with what the proxy's URL holds, and shows it nowhere", async () => {
  const server = await httpsServer(certificate(), inTurn(200));
  const proxy = await proxyTo(server.port, { login: "me:p@ss" });
  const url = new URL(`http://me:p%40ss@${proxy.url.host}`);
  const inputs = { url: "https://shop.test/ http://shop.test/", "tls-verify": "false", ...once };
  const good = await verified(inputs, through(url));
  expect(good.status).toBe("healthy");
  const bad = await verified(inputs, through(proxy.url));
  expect(bad.checks.map(({ lastSeen }) => lastSeen)).toEqual(
    Array(2).fill(`the proxy ${proxy.url.host} refuses with status 407: it wants a user and a password`),
  );
  expect(JSON.stringify([good, bad])).not.toMatch(/p@ss|p%40ss|me:/);
});

const refusals = [
  [407, "inconclusive", /refuses with status 407: it wants a user and a password/],
  [403, "inconclusive", /refuses with status 403: it does not let this runner through/],
  [502, "unhealthy", /can't reach it \(status 502\)/],
] as const;
test.each(refusals)("a tunnel that is answered with %d leaves it %s", async (status, verdict, seen) => {
  const proxy = await proxyTo(0, { status });
  const outcome = await verified({ url: "https://shop.test/", ...once }, through(proxy.url));
  expect([outcome.status, outcome.only.lastSeen]).toEqual([verdict, expect.stringMatching(seen)]);
});

test("a proxy that is dead or silent leaves it inconclusive: nothing is known about the server", async () => {
  const port = await freePort();
  const dead = await verified({ url: "https://shop.test/", ...once }, through(new URL(`http://127.0.0.1:${port}`)));
  expect([dead.status, dead.only.lastSeen]).toEqual([
    "inconclusive",
    `the proxy 127.0.0.1:${port} can't be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
  ]);
  const silent = await tcpServer(() => {});
  const mute = await verified({ url: "https://shop.test/", ...once }, through(new URL(`http://${silent.place}`)));
  expect([mute.status, mute.only.lastSeen]).toEqual([
    "inconclusive",
    `no answer of the proxy ${silent.place} within 0.4 s`,
  ]);
});

test("a hold in which nothing can be seen is inconclusive at its end, and not before", async () => {
  const proxy = await proxyTo(0);
  const dead = new URL(`http://127.0.0.1:${await freePort()}`);
  let looks = 0;
  const proxyOf = () => (++looks <= 2 ? proxy.url : dead); // the first is asked for the log's line
  const inputs = { ...once, url: "http://shop.test/", hold: "5s" };
  const { status, only } = await verified(inputs, { proxyOf, clock: leapingClock() });
  expect([status, only.seen]).toEqual(["inconclusive", { "204": 1, proxy: 5 }]);
  expect(only.reason).toMatch(
    /5 attempts without a right answer in the hold, and max-failures is 0; last seen: the proxy/,
  );
});

test("a hold without a right answer is not healthy, however many failures it may have", async () => {
  const { place } = await httpServer(inTurn(200, 500));
  const { request } = readVerifyInputs(verifySource({ url: `http://${place}/`, hold: "2s" }));
  const lenient = { ...request, time: { ...request.time, maxFailures: 1000 } };
  const world = {
    clock: leapingClock(),
    date: Date.now,
    proxyOf: () => undefined,
    cancel: new AbortController().signal,
  };
  const log = { info: () => {}, debug: () => {} };
  const { checks } = await verify(lenient, { ...world, log });
  expect([checks[0]?.status, checks[0]?.reason]).toEqual([
    "unhealthy",
    expect.stringMatching(/no answer in the hold was right/),
  ]);
});

test("neither tcp nor resolve goes through a proxy", async () => {
  const server = await httpServer(inTurn(200));
  const proxy = await proxyTo(server.port);
  const world = through(proxy.url);
  expect((await verified({ url: `tcp://${server.place}`, ...once }, world)).status).toBe("healthy");
  const resolved = { url: `http://shop.test:${server.port}/`, resolve: "127.0.0.1" };
  expect((await verified({ ...resolved, ...once }, world)).status).toBe("healthy");
  expect(proxy.asked).toEqual([]);
});
