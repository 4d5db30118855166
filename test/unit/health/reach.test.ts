import { lookup } from "node:dns/promises";
import { afterEach, expect, test } from "@jest/globals";
import { NoAnswer, noAnswer } from "../../../src/health/no-answer";
import { freePort, httpServer, inTurn, stopServers } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

const once = { timeout: "1s", interval: "1s", "request-timeout": "900ms" };
const bothFamilies = lookup("localhost", { all: true }).then(
  (found) => new Set(found.map(({ family }) => family)).size === 2,
);

test("reaches a server that listens on IPv6 alone", async () => {
  const { port, place } = await httpServer(inTurn(200), "::1");
  expect(place).toBe(`[::1]:${port}`);
  expect((await verified({ url: `http://[::1]:${port}/`, ...once })).status).toBe("healthy");
  expect((await verified({ url: `http://nowhere.invalid:${port}/`, resolve: "[::1]", ...once })).status).toBe(
    "healthy",
  );
  if (await bothFamilies)
    expect((await verified({ url: `http://localhost:${port}/`, ...once })).status).toBe("healthy");
});

test("reaches a server that listens on IPv4 alone, and not with ip-family 6", async () => {
  const { port } = await httpServer(inTurn(200), "127.0.0.1");
  expect((await verified({ url: `http://localhost:${port}/`, ...once })).status).toBe("healthy");
  expect((await verified({ url: `http://localhost:${port}/`, "ip-family": "4", ...once })).status).toBe("healthy");
  const { only } = await verified({ url: `http://localhost:${port}/`, "ip-family": "6", ...once });
  expect(only.status).not.toBe("healthy");
  if (await bothFamilies) expect(only.lastSeen).toBe(`connect ECONNREFUSED [::1]:${port}`);
});

test("nobody listens: the error of each address is told", async () => {
  const port = await freePort();
  const { status, only } = await verified({ url: `http://localhost:${port}/`, ...once });
  expect([status, only.seen]).toEqual(["unhealthy", { ECONNREFUSED: 1 }]);
  if (!(await bothFamilies)) return;
  expect(only.lastSeen.split("; ").sort()).toEqual([
    `connect ECONNREFUSED 127.0.0.1:${port}`,
    `connect ECONNREFUSED [::1]:${port}`,
  ]);
});

test("each URL is asked at each address of resolve, with its own Host", async () => {
  const { port, requests } = await httpServer(inTurn(200));
  const url = `http://a.test:${port}/x\nhttp://b.test:${port}/y`;
  const { checks } = await verified({ url, resolve: "127.0.0.1, 127.0.0.2", ...once });
  expect(checks.map(({ name }) => name)).toEqual([
    `http://a.test:${port}/x at 127.0.0.1`,
    `http://a.test:${port}/x at 127.0.0.2`,
    `http://b.test:${port}/y at 127.0.0.1`,
    `http://b.test:${port}/y at 127.0.0.2`,
  ]);
  expect(requests.map(({ headers }) => headers.host).sort()).toEqual([`a.test:${port}`, `b.test:${port}`]);
  expect(checks.map(({ status }) => status)).toEqual(["healthy", "unhealthy", "healthy", "unhealthy"]);
});

const system = (code: string, more: object = {}) => Object.assign(new Error(`x ${code}`), { code, ...more });
const connect = (code: string, address: string) => system(code, { syscall: "connect", address, port: 81 });
const seen: readonly [what: string, error: unknown, blind: boolean, kind: string, message: string][] = [
  [
    "a refused connection",
    connect("ECONNREFUSED", "127.0.0.1"),
    false,
    "ECONNREFUSED",
    "connect ECONNREFUSED 127.0.0.1:81",
  ],
  [
    "a name that does not exist",
    system("ENOTFOUND", { hostname: "x.invalid" }),
    false,
    "ENOTFOUND",
    "the name x.invalid does not exist (ENOTFOUND)",
  ],
  [
    "a resolver without an answer",
    system("EAI_AGAIN", { hostname: "x.test" }),
    true,
    "EAI_AGAIN",
    "the resolver gives no answer for x.test (EAI_AGAIN)",
  ],
  ["no route", connect("ENETUNREACH", "2001:db8::1"), true, "ENETUNREACH", "connect ENETUNREACH [2001:db8::1]:81"],
  [
    "a machine that is off",
    connect("EHOSTUNREACH", "10.0.0.1"),
    false,
    "EHOSTUNREACH",
    "connect EHOSTUNREACH 10.0.0.1:81",
  ],
  ["no descriptor left", system("EMFILE"), true, "EMFILE", "x EMFILE"],
  [
    "one family refused, the other without a route",
    new AggregateError([connect("ENETUNREACH", "2001:db8::1"), connect("ECONNREFUSED", "10.0.0.1")]),
    false,
    "ECONNREFUSED",
    "connect ENETUNREACH [2001:db8::1]:81; connect ECONNREFUSED 10.0.0.1:81",
  ],
  [
    "no route to one address, no machine at the other",
    new AggregateError([connect("ENETUNREACH", "2001:db8::1"), connect("EHOSTUNREACH", "10.0.0.1")]),
    false,
    "EHOSTUNREACH",
    "connect ENETUNREACH [2001:db8::1]:81; connect EHOSTUNREACH 10.0.0.1:81",
  ],
  ["what is no error", "a text", false, "Error", "a text"],
];
test.each(seen)("%s is told, and counted as wrong or blind", (_what, error, blind, kind, message) => {
  const told = noAnswer(error);
  expect(told).toBeInstanceOf(NoAnswer);
  expect([told.message, told.kind, told.blind]).toEqual([message, kind, blind]);
});
