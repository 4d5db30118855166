import { existsSync, rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { GuardProcess } from "./guard-process";
import { HostFolder } from "./host-folder";
import { aboutToCommit, HISTORY, OLD_CONFIG } from "./one-deploy";
import { until } from "./until";

jest.setTimeout(60_000);
let prepared: HostFolder;
let host: HostFolder;
let guard: GuardProcess;

beforeAll(async () => {
  prepared = HostFolder.serving();
  await aboutToCommit(prepared);
  rmSync(prepared.state("journal"));
});
afterAll(() => prepared.end());

/** A host with a shifted candidate, and a guard that has nothing to undo yet. */
beforeEach(async () => {
  host = prepared.copy();
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r3");
  await guard.ask("DO", "permit", "r1", "shop-2");
});
afterEach(() => host.end());

type Look = () => unknown;
const line = (text: string) => Buffer.from(text).toString("base64");
const container = (name: string) => () => host.outcome().containers[name];

const verbs: readonly [entry: string, look: Look, done: unknown][] = [
  ["policy shop-2 no", container("shop-2"), "runs, no"],
  ["ready blue shop-1", () => host.outcome().blue, "ready shop-1"],
  ["maint green", () => host.outcome().green, "maint"],
  ["vacate green 0", () => host.outcome().green, "maint"],
  ["remove shop-2 0", container("shop-2"), undefined],
  ["keep shop-2 0", container("shop-2"), "stopped, always"],
  ["stop shop-1 0", container("shop-1"), "stopped, always"],
  ["rest shop-1 0", container("shop-1"), "stopped, always"], // which an older transaction made
  ["network hello-devops-shop", () => existsSync(host.path("docker/networks/hello-devops-shop")), false],
  ["resume blue shop-1", () => host.outcome().blue, "ready shop-1"],
  ["config r1", () => host.outcome().proxyRuns, OLD_CONFIG.trim()],
];

test.each(verbs)("waits with %s for a daemon that is away, and then does it", async (entry, look, done) => {
  expect(look()).not.toEqual(done);
  await guard.ask("UNDO", entry);
  host.order("down");
  const before = host.calls().length;
  guard.send("ABORT 9");
  await until(() => host.calls().length > before + 2, "calls that are refused");
  host.countermand("down");
  await guard.says(/^ABORTED 9$/);
  expect(look()).toEqual(done);
});

const withFiles: typeof verbs = [
  ...verbs,
  ["forbid r1 shop-2", () => existsSync(host.state("releases/r1/starts")), false],
  ["forget r2", () => existsSync(host.state("releases/r2")), false],
  [`history ${line(HISTORY)}`, () => host.outcome().history, [HISTORY]],
  [`tried ${line(HISTORY)}`, () => host.outcome().history, [HISTORY]],
];

test.each(withFiles)("does %s twice with the same end", async (entry, look, done) => {
  await guard.ask("UNDO", entry);
  await guard.ask("UNDO", entry);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(look()).toEqual(done);
  expect(guard.lines.filter((line) => line.startsWith("UNDONE"))).toHaveLength(2);
});

const nothingThere = [
  "policy gone no",
  "remove gone 0",
  "keep gone 0",
  "stop gone 0",
  "rest gone 0",
  "network gone",
  "config gone",
  "forget gone",
];

test.each(nothingThere)("takes %s for done where it is not there", async (entry) => {
  await guard.ask("UNDO", entry);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
});

test("removes no container of another transaction by the same name", async () => {
  host.create("shop-9", { running: true, policy: "no", transaction: "t1" });
  await guard.ask("UNDO", "remove", "shop-9", "0");
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(host.outcome().containers["shop-9"]).toBe("runs, no");
});

test("leaves what was tried in the history, with the last reason that was told, when the traffic is back", async () => {
  const why = (text: string) => `{"transaction":"t2","reason":"${text}"}`;
  await guard.ask("UNDO", "tried", line(why("it died")));
  await guard.ask("UNDO", "ready", "blue", "shop-1");
  await guard.ask("UNDO", "tried", line(why("a gate said no")));
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(host.outcome().history).toEqual([why("a gate said no")]);
  const undone = guard.lines.filter((said) => said.startsWith("UNDONE")).map((said) => said.split(" ")[1]);
  expect(undone).toEqual(["ready", "tried", "tried"]);
});

test("goes back on a full disk, where nothing can be told of it", async () => {
  host.diskCanFill();
  const other = host.guard();
  await guard.ask("BYE");
  await other.ready();
  await other.ask("BEGIN", "r3");
  await other.ask("UNDO", "tried", line(HISTORY));
  await other.ask("UNDO", "ready", "blue", "shop-1");
  host.order("full");
  expect(await other.ask("ABORT")).toBe("ABORTED");
  expect(host.outcome()).toMatchObject({ blue: "ready shop-1", history: [], journal: false });
  expect(existsSync(host.state("history.next"))).toBe(false);
});

test("never forgets the committed release", async () => {
  await guard.ask("UNDO", "forget", "r1");
  await guard.ask("ABORT");
  expect(host.outcome().releases[0]).toContain("r1: haproxy.cfg");
});

test("keeps the newest 200 lines of the history, one a transaction", async () => {
  const { writeFileSync } = await import("node:fs");
  const lines = Array.from({ length: 230 }, (_, index) => `{"transaction":"x${index}"}`);
  writeFileSync(host.state("history"), `${lines.join("\n")}\n`);
  await guard.ask("UNDO", "history", line(HISTORY));
  await guard.ask("ABORT");
  expect(host.outcome().history).toEqual([...lines.slice(-199), HISTORY]);
});

test("stands aside: no new requests, then the container stops; and resumes it, with its slot, on the way back", async () => {
  await guard.ask("DO", "shift", "blue", "green", "172.18.0.1");
  await guard.ask("UNDO", "resume", "blue", "shop-1");
  expect(await guard.ask("DO", "stand-aside", "blue", "shop-1", "5")).toBe("OK");
  expect([host.outcome().blue, host.outcome().containers["shop-1"]]).toEqual(["drain shop-1", "stopped, always"]);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect([host.outcome().blue, host.outcome().containers["shop-1"]]).toEqual(["ready shop-1", "runs, always"]);
});

test("permits a container by a file in a release's folder, and forbids it again", async () => {
  expect(await guard.ask("DO", "permit", "r1", "shop-9")).toBe("OK");
  expect(existsSync(host.state("releases/r1/starts/shop-9"))).toBe(true);
  expect(await guard.ask("DO", "forbid", "r1", "shop-9")).toBe("OK");
  expect(existsSync(host.state("releases/r1/starts/shop-9"))).toBe(false);
});
