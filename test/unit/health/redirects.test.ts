import { afterEach, expect, test } from "@jest/globals";
import { httpServer, inTurn, type Running, saying, stopServers, tcpServer } from "../../support/servers";
import { verified } from "../../support/verifying";

afterEach(stopServers);

const once = { timeout: "1s", interval: "1s", "follow-redirects": "true" };

/** Redirects by path: `/307/there` answers 307 with Location /there; anything else is 200. */
const redirecting = (): Promise<Running> =>
  httpServer((request, response) => {
    const [, status, to] = /^\/(30\d)(\/.*)$/.exec(request.url ?? "") ?? [];
    response.writeHead(Number(status ?? 200), to ? { location: to } : {}).end();
  });

test("a redirect is an answer like any other, unless it is followed, and the log says where it leads", async () => {
  const { place, requests } = await redirecting();
  const { status, only } = await verified({ url: `http://${place}/302/ok`, ...once, "follow-redirects": "false" });
  expect([status, requests.length]).toEqual(["unhealthy", 1]);
  expect(only.lastSeen).toBe(`status 302 (it redirects to http://${place}/ok)`);
  const expected = await verified({
    url: `http://${place}/302/ok`,
    ...once,
    "follow-redirects": "false",
    "expect-status": "302",
  });
  expect(expected.status).toBe("healthy");
});

const methods = [
  ["301", "POST", "GET"],
  ["302", "POST", "GET"],
  ["303", "POST", "GET"],
  ["303", "PUT", "GET"],
  ["303", "HEAD", "HEAD"],
  ["302", "PUT", "PUT"],
  ["307", "POST", "POST"],
  ["308", "DELETE", "DELETE"],
] as const;
test.each(methods)("after %s, %s becomes %s, and the body goes with its method", async (status, method, next) => {
  const { place, requests } = await redirecting();
  const body = method === "HEAD" ? "" : "x";
  const headers = "Authorization: Token t0ken\nX-Own: 1";
  const outcome = await verified({ url: `http://${place}/${status}/ok`, ...once, method, body, headers });
  expect(outcome.status).toBe("healthy");
  expect(requests[1]).toMatchObject({
    line: `${next} /ok`,
    body: next === method ? body : "",
    headers: { authorization: "Token t0ken", "x-own": "1" },
  });
});

test("follows to another origin without the login and the headers, and back to the first one too", async () => {
  const home: { place?: string } = {};
  const away = await httpServer((_request, response) =>
    response.writeHead(302, { location: `http://${home.place}/end` }).end(),
  );
  const first = await httpServer((request, response) =>
    response.writeHead(request.url === "/end" ? 200 : 302, { location: `http://${away.place}/there` }).end(),
  );
  home.place = first.place;
  const login = { "bearer-token": "s3cret", headers: "X-Api-Key: k3y" };
  const { status, only } = await verified({ url: `http://${first.place}/begin`, ...once, ...login });
  expect([status, only.lastSeen]).toEqual([
    "healthy",
    expect.stringMatching(`^status 200 at http://${first.place}/end in`),
  ]);
  expect(first.requests[0]?.headers).toMatchObject({ authorization: "Bearer s3cret", "x-api-key": "k3y" });
  for (const asked of [away.requests[0], first.requests[1]]) {
    expect(asked?.headers.host).toBeDefined();
    expect(JSON.stringify(asked)).not.toMatch(/s3cret|k3y|authorization/);
  }
});

test("a body goes to no other origin", async () => {
  const away = await httpServer(inTurn(200));
  const { place } = await httpServer((_request, response) =>
    response.writeHead(308, { location: `http://${away.place}/in?t=1` }).end(),
  );
  const { status, only } = await verified({ url: `http://${place}/`, ...once, method: "POST", body: "password=1" });
  expect([status, away.requests.length]).toEqual(["unhealthy", 0]);
  expect(only.lastSeen).toBe(
    `status 308 would send the body to http://${away.place}/in?…; if it may go there, write that URL`,
  );
});

test("a circle is named with its way", async () => {
  const { place } = await httpServer((request, response) =>
    response.writeHead(302, { location: request.url === "/a" ? "/b" : "/a" }).end(),
  );
  const { only } = await verified({ url: `http://${place}/a`, ...once });
  const [a, b] = [`http://${place}/a`, `http://${place}/b`];
  expect(only.lastSeen).toBe(`the redirects go round in a circle: ${a} -> ${b} -> ${a}`);
});

test("twenty redirects are followed, and the twenty-first is too many", async () => {
  const { place, requests } = await httpServer((request, response) => {
    const left = Number((request.url ?? "").slice(1));
    response.writeHead(left === 0 ? 200 : 302, { location: `/${left - 1}` }).end();
  });
  expect((await verified({ url: `http://${place}/20`, ...once })).status).toBe("healthy");
  expect(requests).toHaveLength(21);
  const { only } = await verified({ url: `http://${place}/21`, ...once });
  expect(only.lastSeen).toMatch(
    /^more than 20 redirects: http:\/\/\S+\/21 -> \S+\/20 -> \S+\/19 -> … -> \S+\/1 -> \S+\/0$/,
  );
});

const elsewhere = [
  [
    "another scheme",
    "ftp://files.example.com/x",
    /^status 302 redirects to ftp:\/\/files\.example\.com\/x, which is not HTTP$/,
  ],
  ["a scheme that runs", "javascript:alert(1)", /^status 302 redirects to javascript:.*, which is not HTTP$/],
  ["nowhere", "http://[", /^status 302$/],
] as const;
test.each(elsewhere)("a redirect to %s is unhealthy", async (_what, location, seen) => {
  const { place } = await httpServer(saying("", { location }, 302));
  expect((await verified({ url: `http://${place}/`, ...once })).only.lastSeen).toMatch(seen);
});

test("a failure behind a redirect says where it was", async () => {
  const silent = await tcpServer(() => {});
  const { place } = await httpServer(saying("", { location: `http://${silent.place}/x` }, 302));
  const { only } = await verified({ url: `http://${place}/`, ...once, "request-timeout": "300ms" });
  expect(only.lastSeen).toBe("no answer within 0.3 s");
  await stopServers();
  const refused = await httpServer(saying("", { location: `http://${silent.place}/x` }, 302));
  const { only: later } = await verified({ url: `http://${refused.place}/`, ...once });
  expect(later.lastSeen).toBe(`http://${silent.place}/x, where it redirects to: connect ECONNREFUSED ${silent.place}`);
});
