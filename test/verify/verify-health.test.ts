import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, expect, jest, test } from "@jest/globals";
import { WebSocketServer } from "ws";
import { authority, certificate } from "../support/certificates";
import { type Ended, type Inputs, startStep } from "../support/runner";
import {
  freePort,
  httpServer,
  httpsServer,
  inTurn,
  listening,
  saying,
  stopServers,
  tcpServer,
} from "../support/servers";

jest.setTimeout(60_000); // each test starts a process or two
afterEach(stopServers);

const quick = { timeout: "1s", interval: "100ms", "request-timeout": "500ms" };

/** The committed bundle, as the runner runs it. */
const step = (inputs: Inputs, env: Inputs = {}): Promise<Ended> =>
  startStep("verify-health", { ...quick, ...inputs }, env).ended;

const withoutDebug = (log: string): string => log.replace(/^::debug::.*\n/gm, "");

const result = ({ outputs }: Ended) => JSON.parse(outputs.results ?? "[]")[0];

test("a URL that answers is healthy: a green step, outputs and a summary", async () => {
  const { place } = await httpServer(saying("ok", { "x-release": "v7" }));
  const { code, outputs, summary, log } = await step({ url: `http://${place}/health` });
  expect(code).toBe(0);
  expect(outputs).toMatchObject({ status: "healthy", healthy: "true", version: "v7", attempts: "1", reason: "" });
  expect(Number(outputs["latency-p50"])).toBeGreaterThanOrEqual(0);
  expect(outputs["certificate-expires"]).toBe("");
  expect(summary).toContain("✅ healthy");
  expect(log).not.toMatch(/^::(error|warning)/m);
});

test("a URL that answers wrong makes the step red, with one annotation", async () => {
  const { place } = await httpServer(saying("down", {}, 503));
  const { code, outputs, log } = await step({ url: `http://${place}/` });
  expect([code, outputs.status, outputs.healthy]).toEqual([1, "unhealthy", "false"]);
  expect(outputs.reason).toBe(
    `http://${place}/: it did not become healthy within 1 s; last seen: status 503, body "down".`,
  );
  expect(log.match(/^::error .*/gm)).toEqual([
    `::error title=Not healthy%3A http%3A//${place.replace(":", "%3A")}/::${outputs.reason}%0AExpected: status 200-299.%0AThe app or what is in front of it fails: look at its log of this time.`,
  ]);
});

test("with fail false the step stays green, and warns", async () => {
  const port = await freePort();
  const { code, outputs, log } = await step({ url: `http://127.0.0.1:${port}/`, fail: "false" });
  expect([code, outputs.status]).toEqual([0, "unhealthy"]);
  expect(log).toMatch(/^::warning title=Not healthy/m);
  expect(log).not.toMatch(/^::error/m);
});

test("with summary false there is no summary", async () => {
  const { place } = await httpServer(inTurn(200));
  expect((await step({ url: `http://${place}/`, summary: "false" })).summary).toBe("");
});

test("several URLs are checked side by side, and one bad one makes the step red", async () => {
  const good = await httpServer(inTurn(200));
  const bad = await httpServer(inTurn(500));
  const { code, outputs } = await step({ url: `http://${good.place}/\nhttp://${bad.place}/` });
  const results = JSON.parse(outputs.results ?? "") as { status: string; seen: object }[];
  expect([code, results.map(({ status }) => status)]).toEqual([1, ["healthy", "unhealthy"]]);
  expect(Object.keys(results[1]?.seen ?? {})).toEqual(["500"]);
});

test("asks with method, headers, body and the login that it is given", async () => {
  const { place, requests } = await httpServer(inTurn(200));
  const given = { method: "POST", headers: "X-Probe: yes1\nContent-Type: text/plain", body: " x\n" };
  await step({ url: `http://${place}/`, ...given, "basic-auth": "me:secret" });
  await step({ url: `http://${place}/`, ...given, "bearer-token": "t0ken" });
  expect(requests.map(({ line, body, headers }) => [line, body, headers["x-probe"], headers.authorization])).toEqual([
    ["POST /", " x\n", "yes1", "Basic bWU6c2VjcmV0"],
    ["POST /", " x\n", "yes1", "Bearer t0ken"],
  ]);
});

test("follows redirects only when follow-redirects says so", async () => {
  const { place } = await httpServer((request, response) =>
    response.writeHead(request.url === "/end" ? 200 : 302, { location: "/end" }).end(),
  );
  expect((await step({ url: `http://${place}/` })).outputs.status).toBe("unhealthy");
  expect((await step({ url: `http://${place}/`, "follow-redirects": "true" })).outputs.status).toBe("healthy");
});

test("asks each address of resolve under the URL's name, in the family of ip-family", async () => {
  const { port, requests } = await httpServer(inTurn(200));
  const ended = await step({ url: `http://shop.test:${port}/`, resolve: "127.0.0.1", "ip-family": "4" });
  expect([ended.outputs.status, requests[0]?.headers.host]).toEqual(["healthy", `shop.test:${port}`]);
  const other = await step({ url: `http://localhost:${port}/`, "ip-family": "6" });
  expect(other.outputs.healthy).toBe("false");
  const wrong = await step({ url: `http://shop.test:${port}/`, resolve: "127.0.0.1", "ip-family": "6" });
  expect(wrong.log).toContain("::error::ip-family: it is 6, but 127.0.0.1 is an IPv4 address.");
});

const differing: readonly [input: string, inputs: Inputs, seen: string][] = [
  ["expect-status", { "expect-status": "204" }, "200"],
  ["expect-body", { "expect-body": "^no" }, "200 wrong body"],
  ["expect-header", { "expect-header": "X-Release: v8" }, "200 wrong header"],
  ["expect-json", { "expect-json": "n > 5" }, "200 wrong json"],
  ["expect-version", { "expect-version": "v8" }, "200 wrong version"],
  ["version-from", { "expect-version": "v7", "version-from": "json:n" }, "200 wrong version"],
];
test.each(differing)(
  "an answer that differs from %s is unhealthy, and counted as that",
  async (_input, inputs, seen) => {
    const { place } = await httpServer(saying('{"n":5}', { "x-release": "v7" }));
    const ended = await step({ url: `http://${place}/`, ...inputs });
    expect([ended.code, Object.keys(result(ended).seen)]).toEqual([1, [seen]]);
  },
);

test("waits for answers within max-latency, at latency-percentile of the last threshold", async () => {
  const slow = (_request: unknown, response: { end(): void }) => void setTimeout(() => response.end(), 200);
  const { place } = await httpServer(inTurn(slow, 200));
  const inputs = { url: `http://${place}/`, threshold: "2", timeout: "5s" };
  const strict = await step({ ...inputs, "max-latency": "150ms", "latency-percentile": "100" });
  expect([strict.outputs.status, strict.outputs.attempts]).toEqual(["healthy", "3"]);
  await stopServers();
  const again = await httpServer(inTurn(slow, 200));
  const lax = await step({
    ...inputs,
    url: `http://${again.place}/`,
    "max-latency": "150ms",
    "latency-percentile": "50",
  });
  expect([lax.outputs.status, lax.outputs.attempts]).toEqual(["healthy", "2"]);
});

test("judges the certificate by ca-certificate, tls-verify and min-certificate-days, and tells its end", async () => {
  const ours = authority("ours");
  const leaf = certificate({ by: ours, to: 10 });
  const { place } = await httpsServer(leaf, inTurn(200));
  const url = `https://${place}/`;
  const trusted = await step({ url, "ca-certificate": ours.pem });
  expect([trusted.code, trusted.outputs["certificate-expires"]]).toEqual([0, leaf.expires.toISOString()]);
  const soon = await step({ url, "ca-certificate": ours.pem, "min-certificate-days": "11" });
  expect(soon.outputs.reason).toMatch(/in 9 days, and min-certificate-days is 11\.$/);
  expect((await step({ url })).outputs.reason).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  expect((await step({ url, "tls-verify": "false" })).code).toBe(0);
});

test("waits for timeout and no longer, in the pace of interval and backoff", async () => {
  const { place, requests } = await httpServer(inTurn(503));
  const steady = await step({ url: `http://${place}/`, timeout: "2s", interval: "500ms" });
  expect([steady.code, steady.outputs.attempts]).toEqual([1, "4"]);
  const before = requests.length;
  await step({ url: `http://${place}/`, timeout: "2s", interval: "100ms", backoff: "exponential" });
  // at 0, 100, 300, 700 and 1500 ms, and once more before the end
  expect(requests.length - before).toBe(6);
});

test("gives one attempt request-timeout", async () => {
  const { place } = await tcpServer(() => {});
  const ended = await step({ url: `http://${place}/`, "request-timeout": "300ms", interval: "1s" });
  expect(result(ended)["last-seen"]).toBe("no answer within 0.3 s");
});

test("watches for hold, and bears max-failures in it", async () => {
  const { place } = await httpServer(inTurn(200, 500, 200));
  const inputs = { url: `http://${place}/`, hold: "500ms" };
  const strict = await step(inputs);
  expect([strict.outputs.status, strict.outputs.attempts]).toEqual(["unhealthy", "2"]);
  await stopServers();
  const again = await httpServer(inTurn(200, 500, 200));
  const lax = await step({ ...inputs, url: `http://${again.place}/`, "max-failures": "1" });
  expect([lax.outputs.status, result(lax).seen["500"]]).toEqual(["healthy", 1]);
});

test("knows WebSockets and TCP", async () => {
  const server = createServer();
  new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", () => socket.send('{"pong":1}')));
  const webSocket = await listening(server);
  const tcp = await tcpServer((socket) => socket.once("data", (data) => socket.end(`echo ${data}`)));
  const ws = await step({ url: `ws://${webSocket.place}/`, body: "ping", "expect-json": "pong = 1" });
  expect([ws.code, result(ws).seen]).toEqual([0, { "101": 1 }]);
  const plain = await step({ url: `tcp://${tcp.place}`, body: "hi", "expect-body": "^echo hi$" });
  expect([plain.code, result(plain).seen]).toEqual([0, { connected: 1 }]);
});

test("a wrong input stops the step in one line for each, before any request", async () => {
  const { place, requests } = await httpServer(inTurn(200));
  const { code, log, outputs } = await step({ url: `http://${place}/`, interval: "soon", threshold: "0" });
  expect([code, requests.length, outputs]).toEqual([1, 0, {}]);
  expect(withoutDebug(log)).toBe(
    '::error::interval: expected a duration such as 30s or 2m, got "soon".%0Athreshold: expected a whole number from 1 to 100, got "0".\n',
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`a job that is cancelled by ${signal} ends at once, red and inconclusive, with its outputs`, async () => {
    const { place } = await httpServer(inTurn(503));
    const running = startStep("verify-health", { url: `http://${place}/`, fail: "false" });
    await running.says(/wrong: status 503/);
    running.kill(signal);
    const cancelled = performance.now();
    const { code, outputs, log, summary } = await running.ended;
    expect(performance.now() - cancelled).toBeLessThan(7_500); // then the runner would send SIGTERM, or end it
    expect([code, outputs.status, result({ outputs } as Ended).seen]).toEqual([1, "inconclusive", { "503": 1 }]);
    expect(outputs.reason).toMatch(/the job was cancelled before it was known; last seen: status 503\.$/);
    expect(log).toMatch(/^::error title=Cancelled/m);
    expect(summary).toContain("❔ inconclusive (cancelled)");
  });

test("a hostile answer can neither command the runner nor break out of the summary", async () => {
  const body = "</pre></details><script>x</script>\n\n# big\n::set-env name=A::b\r::error::owned ##[group]x\u001b[31m";
  const { place } = await httpServer(saying(body, { "x-release": "::error::v" }, 500));
  const { log, summary, outputs } = await step({ url: `http://${place}/` });
  expect(log.match(/^::(?!add-mask|debug)\S+/gm)).toEqual([expect.stringMatching(/^::error$/)]);
  expect(log).not.toMatch(/##\[/);
  expect(outputs.reason).not.toMatch(/[\n\r]/);
  expect(log + outputs.reason).not.toContain("\u001b");
  expect(summary).not.toMatch(/<script|<\/pre><\/details><|^# big/m);
  expect(summary).toContain("&#60;script&#62;");
});

test("secrets are masked first, and an answer that repeats them shows none", async () => {
  const secrets = { "basic-auth": "me:pa55word", headers: "X-Key: k3yk3y" };
  const { place } = await httpServer((request, response) =>
    response.writeHead(500).end(JSON.stringify([request.headers, request.url])),
  );
  const { log, outputs, summary } = await step({ url: `http://${place}/?token=t0kent0ken`, ...secrets });
  const masks = [...log.matchAll(/^::add-mask::(.*)$/gm)].map(([, text]) => text);
  expect(masks).toEqual(
    expect.arrayContaining(["me:pa55word", "pa55word", "bWU6cGE1NXdvcmQ=", "k3yk3y", "t0kent0ken"]),
  );
  const told = [log.replace(/^::add-mask::.*$/gm, ""), JSON.stringify(outputs), summary].join();
  expect(told).not.toMatch(/pa55word|bWU6cGE1NXdvcmQ|k3yk3y|t0kent0ken/);
  expect(told).toContain("***");
});

test("goes through the runner's proxy, but for NO_PROXY and this machine, and shows no login of it", async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["proxy-authorization"]}`);
    response.end();
  });
  proxy.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.on("error", () => {}).end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
  });
  const { port } = await listening(proxy);
  const address = `http://me:pa55word@127.0.0.1:${port}`;
  const env = { HTTP_PROXY: address, https_proxy: address, NO_PROXY: "inside.test" };
  const plain = await step({ url: "http://shop.test/x" }, env);
  expect([plain.code, asked]).toEqual([0, ["GET http://shop.test/x Basic bWU6cGE1NXdvcmQ="]]);
  expect(plain.log).toContain(`through the proxy 127.0.0.1:${port}`);
  const secure = await step({ url: "https://shop.test/ wss://shop.test/" }, env);
  expect([secure.code, secure.outputs.status]).toEqual([1, "inconclusive"]);
  expect(secure.outputs.reason).toContain(`the proxy 127.0.0.1:${port} refuses with status 407`);
  expect(secure.log.replace(/^::add-mask::.*$/gm, "")).not.toMatch(/pa55word|bWU6cGE1/);
  const seen = asked.length;
  await step({ url: `http://inside.test/ http://127.0.0.1:${await freePort()}/` }, env);
  expect(asked).toHaveLength(seen);
});

test("a proxy of another kind is refused before any request", async () => {
  const { code, log } = await step({ url: "https://shop.test/" }, { https_proxy: "socks5://127.0.0.1:1080" });
  expect([code, withoutDebug(log)]).toEqual([
    1,
    "::error::HTTPS_PROXY: this runner's proxy is a socks5:// one; only http:// and https:// ones are supported.\n",
  ]);
});

const malformed = [
  ["a port that is none", { HTTPS_PROXY: "http://proxy.test:99999" }, "https://shop.test/", "HTTPS_PROXY"],
  ["a bare % in its login", { https_proxy: "http://me:5%@proxy.test:3128" }, "https://shop.test/", "HTTPS_PROXY"],
] as const;
test.each(malformed)("a proxy variable with %s is refused before any request", async (_what, env, url, name) => {
  const { code, log } = await step({ url }, env);
  const sentence = `::error::${name}: what this runner's variable holds is no URL; write http://host:port, with %25 as %2525.`;
  expect([code, withoutDebug(log).replace(/^::add-mask::.*\n/gm, "")]).toEqual([1, `${sentence}\n`]);
  expect((await step({ url }, { ...env, NO_PROXY: "shop.test", no_proxy: "shop.test" })).log).not.toContain(sentence);
});

test("with follow-redirects the proxy variable of the other scheme is checked, too", async () => {
  const { place, requests } = await httpServer(inTurn(200));
  const env = { HTTPS_PROXY: "http://proxy.test:99999" };
  const ended = await step({ url: `http://${place}/`, "follow-redirects": "true" }, env);
  expect([ended.code, requests.length]).toEqual([1, 0]);
  expect((await step({ url: `http://${place}/` }, env)).code).toBe(0);
});

test("the bundle lies alone: what only a deploy needs is not beside it", () => {
  const beside = (action: string) => readdirSync(join(__dirname, "../../dist", action)).sort();
  const alone = ["index.js", "licenses.txt", "undici.bundle.js", "undici.js"];
  const aws = (action: string) => beside(action).filter((file) => /^\d+\.index\.js$/.test(file));
  expect(aws("verify-health").length).toBeGreaterThan(0);
  expect(beside("verify-health")).toEqual([...aws("verify-health"), ...alone].sort());
  expect(beside("deploy-ec2")).toEqual([...aws("deploy-ec2"), "guard.sh", ...alone].sort());
});

test("a bundle's licences are those of all that it holds, of what it reads later, too", () => {
  const licenses = readFileSync(join(__dirname, "../../dist/deploy-ec2/licenses.txt"), "utf8").split("\n");
  expect(licenses).toEqual(
    expect.arrayContaining(["ssh2", "dockerode", "@actions/core", "@aws-sdk/client-ec2", "undici"]),
  );
});

// a process that hears no answer must not be kept alive by what it asked
test("ends within its limits on a server that takes everything and says nothing, for each scheme", async () => {
  const { place } = await tcpServer((socket) => socket.resume());
  const url = ["http", "https", "ws", "wss"].map((scheme) => `${scheme}://${place}/`).join("\n");
  const began = performance.now();
  const { code, outputs } = await step({ url, timeout: "1s" });
  expect([code, outputs.status]).toEqual([1, "unhealthy"]);
  expect(performance.now() - began).toBeLessThan(5000);
});
