import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, expect, test } from "@jest/globals";
import { oneAhead } from "../../../src/health/http";
import { until } from "../../support/outside";
import { listening, stopServers } from "../../support/servers";

afterEach(stopServers);

/** A server that only counts who comes, and a dial to it that counts, too. */
async function counted() {
  const came: Socket[] = [];
  const { port } = await listening(createServer((socket) => came.push(socket.resume())));
  const opened: Duplex[] = [];
  const dial = async (): Promise<Duplex> => {
    const socket = connect(port, "127.0.0.1").resume();
    await once(socket, "connect");
    opened.push(socket);
    return socket;
  };
  return { came, opened, dial };
}

test("the next stream is open before anybody asks for it", async () => {
  const { came, opened, dial } = await counted();
  const way = oneAhead(dial);
  const first = await way.dial();
  await until("the next one has come", async () => came.length === 2 && opened.length === 2);
  expect(await way.dial()).toBe(opened[1]);
  expect(first).toBe(opened[0]);
  way.close();
});

test("a stream that the server has closed meanwhile is not used", async () => {
  const { came, opened, dial } = await counted();
  const way = oneAhead(dial);
  await way.dial();
  await until("the next one has come", async () => came.length === 2 && opened.length === 2);
  came[1]?.destroy();
  await until("its end is known here", async () => opened[1]?.destroyed === true);
  expect(await way.dial()).toBe(opened[2]);
  way.close();
});

test("where the next one can't be opened, another is, and its failure is told", async () => {
  const { dial } = await counted();
  let refused = 0;
  let calls = 0;
  const way = oneAhead(async () => {
    calls += 1;
    if (calls === 1 || calls === 4) return dial();
    refused += 1;
    throw new Error("connection refused");
  });
  await way.dial();
  await expect(way.dial()).rejects.toThrow("connection refused");
  expect(refused).toBe(2);
  expect((await way.dial()).destroyed).toBe(false);
  way.close();
});

test("what was opened ahead ends with it", async () => {
  const { came, opened, dial } = await counted();
  const way = oneAhead(dial);
  await way.dial();
  await until("the next one has come", async () => came.length === 2 && opened.length === 2);
  way.close();
  await until("it has ended", async () => opened[1]?.destroyed === true);
  expect(opened[0]?.destroyed).toBe(false);
});
