import { once } from "node:events";
import { Agent, get, type IncomingMessage, type RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { Health } from "../../app/src/health";
import { createLog } from "../../app/src/log";
import { createService } from "../../app/src/service";
import { deferred } from "./deferred";

const quiet = createLog("silent", "1");

async function serving(listener: RequestListener) {
  const health = new Health(() => 0, 1000);
  const service = createService({ app: listener }, health, quiet);
  const port = await service.start(0);
  return { port, health, stop: (limitMs = 10_000) => service.stop("the test says so", limitMs) };
}

/** Answers when the test lets it, and says when a request has come in. */
function held() {
  const arrived = deferred();
  const release = deferred();
  const listener: RequestListener = async (_req, res) => {
    arrived.resolve();
    await release.promise;
    res.end("done");
  };
  return { listener, arrived: arrived.promise, release: release.resolve };
}

async function answerOf(port: number, agent: Agent): Promise<IncomingMessage & { body: string }> {
  const [answer] = (await once(get({ port, agent }), "response")) as [IncomingMessage];
  return Object.assign(answer, { body: await text(answer) });
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port);
  await once(socket, "connect");
  return socket.on("error", () => {}).resume();
}

test("a request in flight at the stop is finished, and is the last on its connection", async () => {
  const { listener, arrived, release } = held();
  const { port, health, stop } = await serving(listener);
  const answer = answerOf(port, new Agent({ keepAlive: true }));
  await arrived;
  const stopped = stop();
  expect(health.report().status).toBe("stopping");
  setTimeout(release, 300);
  expect(await answer).toMatchObject({ statusCode: 200, body: "done", headers: { connection: "close" } });
  expect(await stopped).toBe(0);
});

test("an answer already under way at the stop is finished, and its kept-alive connection then closed", async () => {
  const release = deferred();
  const { port, stop } = await serving(async (_req, res) => {
    res.write("half, ");
    await release.promise;
    res.end("whole");
  });
  const [answer] = (await once(get({ port, agent: new Agent({ keepAlive: true }) }), "response")) as [IncomingMessage];
  expect(answer.headers.connection).toBe("keep-alive");
  const stopped = stop();
  release.resolve();
  expect(await text(answer)).toBe("half, whole");
  expect(await stopped).toBe(0);
});

test("an idle kept-alive connection is closed while another request is still in flight", async () => {
  const { listener, arrived, release } = held();
  const { port, stop } = await serving((req, res) => (req.url === "/fast" ? res.end() : listener(req, res)));
  const idle = await connected(port);
  idle.write("GET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(idle, "data");
  const slow = answerOf(port, new Agent());
  await arrived;
  const stopped = stop();
  await once(idle, "close");
  release();
  expect(await slow).toMatchObject({ statusCode: 200 });
  expect(await stopped).toBe(0);
});

test("a connection that never sent a byte does not hold the exit", async () => {
  const { port, stop } = await serving((_req, res) => res.end());
  const silent = await connected(port);
  const closed = once(silent, "close");
  expect(await stop()).toBe(0);
  await closed;
});

test("no new connection is taken after the stop", async () => {
  const { listener, arrived, release } = held();
  const { port, stop } = await serving(listener);
  const slow = answerOf(port, new Agent());
  await arrived;
  const stopped = stop();
  await expect(answerOf(port, new Agent())).rejects.toMatchObject({ code: "ECONNREFUSED" });
  release();
  await Promise.all([slow, stopped]);
});

test("a request that outlasts the limit is cut, and counted", async () => {
  const { listener, arrived } = held();
  const { port, stop } = await serving(listener);
  const slow = answerOf(port, new Agent());
  const cut = expect(slow).rejects.toMatchObject({ code: "ECONNRESET" });
  await arrived;
  expect(await stop(50)).toBe(1);
  await cut;
});

test("a second stop waits for the first", async () => {
  const { listener, arrived, release } = held();
  const { port, stop } = await serving(listener);
  const slow = answerOf(port, new Agent());
  await arrived;
  const both = [stop(), stop(0)];
  release();
  expect(await Promise.all(both)).toEqual([0, 0]);
  expect(await slow).toMatchObject({ statusCode: 200 });
});
