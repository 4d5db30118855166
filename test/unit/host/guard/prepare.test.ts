import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { GuardProcess } from "./guard-process";
import { HostFolder } from "./host-folder";
import { DEPLOY, deployUpTo, onTheNew, onTheOld } from "./one-deploy";
import { until } from "./until";

jest.setTimeout(60_000);
let host: HostFolder;
beforeEach(() => {
  host = HostFolder.serving();
});
afterEach(() => host.end());

/** A fleet's host that has only to commit. */
async function prepared(lease = 30): Promise<GuardProcess> {
  const guard = host.guard({ lease });
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.ask("PREPARE")).toBe("OK");
  return guard;
}
const again = () => host.guard({ turn: "again" });

test("a prepared host whose runner hangs up goes back when a lease has passed and nobody came", async () => {
  const guard = await prepared(1);
  await guard.hangUp();
  expect(host.outcome()).toEqual(onTheOld);
});

test.each([
  ["hung up", (guard: GuardProcess) => void guard.sshd.stdin.end()],
  ["was killed", (guard: GuardProcess) => guard.kill()],
])("the guard of a runner that comes back takes over from a prepared one that %s, and commits", async (_, lose) => {
  await lose(await prepared());
  const next = again();
  expect(await next.ready()).toBe("r1 prepared");
  expect(await next.ask("COMMIT")).toBe("COMMITTED");
  expect(await next.ask("FINISH")).toBe("RETIRED");
  expect(host.outcome()).toEqual(onTheNew);
});

test("a second takeover, after the first was killed, finds a whole journal and goes back as it is told", async () => {
  await (await prepared()).kill();
  const second = again();
  await second.ready();
  await second.kill();
  const third = again();
  expect(await third.ready()).toBe("r1 prepared");
  expect(await third.ask("ABORT")).toBe("ABORTED");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a commit whose answer was lost is found done by the runner that comes back", async () => {
  const guard = await prepared();
  guard.send("COMMIT 99");
  await guard.says(/^COMMITTED 99$/);
  guard.sshd.stdin.end();
  const next = again();
  expect(await next.ready()).toBe("r2 committed");
  expect(await next.ask("FINISH")).toBe("RETIRED");
  expect(host.outcome()).toEqual(onTheNew);
});

test("a committed host goes back when another host of its fleet could not commit", async () => {
  const guard = await prepared();
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("REVERT")).toBe("ABORTED");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a revert that was cut in the middle is finished by the next deploy", async () => {
  const guard = await prepared();
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  host.order("hold-update");
  guard.send("REVERT 98");
  await host.called("update --restart no shop-2");
  await guard.kill();
  host.countermand("hold-update");
  expect(await host.guard({ transaction: "t9" }).ready()).toBe("r1 undone");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a host that was not prepared reverts nothing, and one that is not committed finishes nothing", async () => {
  const guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.refused("REVERT")).toBe("FAIL nothing is prepared");
  expect(await guard.refused("FINISH")).toBe("FAIL nothing is committed");
});

test("another deploy takes no prepared host over: it takes it back", async () => {
  await (await prepared()).kill();
  expect(await host.guard({ transaction: "t9", turn: "again" }).ready()).toBe("r1 undone");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a guard that asks for a prepared host and dies leaves it to the one before, which goes back", async () => {
  const guard = await prepared(2);
  const asks = again();
  await until(() => existsSync(host.state("reconnect")), "its word");
  await asks.kill();
  await guard.hangUp();
  expect(host.outcome()).toEqual(onTheOld);
});

test("a deploy that finds another's prepared journal lets its runner come back to it first", async () => {
  await (await prepared()).kill();
  const other = host.guard({ transaction: "t9", turn: "first", lease: 60 });
  await until(() => readFileSync(host.state("journal"), "utf8").includes("prepared"), "the journal");
  const next = again();
  expect(await next.ready()).toBe("r1 prepared");
  expect(await next.ask("COMMIT")).toBe("COMMITTED");
  expect(await next.ask("FINISH")).toBe("RETIRED");
  await next.ask("BYE");
  expect(await other.ready()).toBe("r2 nothing");
  expect(host.outcome()).toEqual(onTheNew);
});

test("a deploy that finds another's prepared journal takes it back when nobody came for a lease", async () => {
  await (await prepared()).kill();
  expect(await host.guard({ transaction: "t9", turn: "first", lease: 1 }).ready()).toBe("r1 undone");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a prepared host that has begun to go back by itself can't be taken over and committed", async () => {
  const guard = await prepared(1);
  host.order("hold-update");
  guard.sshd.stdin.end();
  await host.called("update --restart no shop-2"); // a lease is over: it undoes
  await guard.kill();
  host.countermand("hold-update");
  expect(await again().ready()).toBe("r1 undone");
  expect(host.outcome()).toEqual(onTheOld);
});

test("a committed host that has begun to finish by itself can't be reverted", async () => {
  const guard = await prepared(1);
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  host.order("hold-update");
  guard.sshd.stdin.end();
  await host.called("update --restart no shop-1");
  await guard.kill();
  host.countermand("hold-update");
  expect(await again().ready()).toBe("r2 finished");
  expect(host.outcome()).toEqual(onTheNew);
});
