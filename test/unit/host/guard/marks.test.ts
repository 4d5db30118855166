import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { GuardProcess } from "./guard-process";
import { HostFolder } from "./host-folder";
import { aboutToCommit, DEPLOY, deployUpTo, onTheNew, onTheOld } from "./one-deploy";
import { until } from "./until";

// What node-exporter tells Prometheus of the releases (45-marks.sh).
jest.setTimeout(60_000);
let host: HostFolder;
let guard: GuardProcess;
beforeEach(() => {
  host = HostFolder.serving();
  mkdirSync(folder());
});
afterEach(() => host.end());

const folder = () => host.path("state/textfile_collector");
const file = () => `${folder()}/shop.prom`;
const NAME = "hello_devops_release_timestamp_seconds";
const series = (event: string, release: string, slot: string) =>
  `${NAME}{app="shop",release="${release}",slot="${slot}",event="${event}"}`;
const lines = () => (existsSync(file()) ? readFileSync(file(), "utf8").trimEnd().split("\n") : []);
const marks = () => lines().filter((line) => !line.startsWith("#"));
const marked = () => marks().map((line) => line.split(" ")[0]);
const isMarked = (...expected: string[]) =>
  until(() => marked().join() === expected.join(), `the marks ${expected}; there are ${marked()}`);

const indexOf = (verb: string) => DEPLOY.findIndex((step) => typeof step !== "function" && step[1] === verb);
const share = (percent: string) => ["DO", "share", "green", "blue", "172.18.0.2", percent] as const;
const deployed = series("deploy", "r2", "green");
const putBack = series("put-back", "r1", "blue");

test("a deploy is marked with its second, in a file that others may read, and nothing is left beside it", async () => {
  guard = host.guard();
  const before = Date.now() / 1000;
  await deployUpTo(DEPLOY.length, host, guard);
  await isMarked(deployed);
  expect(lines().slice(0, 2)).toEqual([expect.stringMatching(`^# HELP ${NAME} `), `# TYPE ${NAME} gauge`]);
  const at = marks()[0]?.split(" ")[1] ?? "";
  expect(at).toMatch(/^\d+\.\d{3}$/);
  expect(Number(at)).toBeGreaterThanOrEqual(Math.floor(before));
  expect(Number(at)).toBeLessThanOrEqual(Date.now() / 1000);
  expect(statSync(file()).mode & 0o777).toBe(0o664);
  expect(readdirSync(folder())).toEqual(["shop.prom"]);
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect(marked()).toEqual([deployed]);
});

test("a release that was here before comes by a rollback", async () => {
  mkdirSync(host.state("releases/r2"));
  writeFileSync(host.state("releases/r2/release.json"), '{"release":"r2"}');
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  await isMarked(series("rollback", "r2", "green"));
});

test("of a traffic in shares, the first is the mark", async () => {
  guard = host.guard();
  await deployUpTo(indexOf("fill") + 1, host, guard);
  await guard.ask(...share("10"));
  await isMarked(deployed);
  const [first] = marks();
  await guard.ask(...share("50"));
  await guard.ask("DO", "shift", "green", "blue", "172.18.0.2");
  expect(await guard.ask("BEAT")).toBe("OK"); // behind the shift's mark
  expect(marks()).toEqual([first]);
});

test("what is put back is marked, whether all of the traffic had moved or a share", async () => {
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(marked()).toEqual([deployed, putBack]);
  guard = host.guard();
  await deployUpTo(indexOf("fill") + 1, host, guard);
  await guard.ask(...share("10"));
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(marked()).toEqual([deployed, putBack]);
  expect(host.outcome()).toMatchObject(onTheOld);
});

test("what is put back by the guard that comes after a dead one is marked, too", async () => {
  await aboutToCommit(host);
  await isMarked(deployed);
  guard = host.guard();
  expect(await guard.ready()).toBe("r1 undone");
  expect(marked()).toEqual([deployed, putBack]);
});

test("what is put back is marked on a host of a fleet that had committed, and where one release runs at a time", async () => {
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.ask("PREPARE")).toBe("OK");
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(marked()).toEqual([deployed]);
  expect(await guard.ask("REVERT")).toBe("ABORTED");
  expect(marked()).toEqual([deployed, putBack]);
  rmSync(file());
  guard = host.guard();
  await deployUpTo(indexOf("fill") - 1, host, guard);
  await guard.ask("UNDO", "resume", "blue", "shop-1");
  await guard.ask("UNDO", "maint", "green");
  await guard.ask("DO", "stand-aside", "blue", "shop-1", "0");
  await guard.ask("DO", "fill", "green", "shop-2", "172.18.0.2", "5000", "v2");
  await guard.ask("DO", "shift", "green", "blue", "172.18.0.2");
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(marked()).toEqual([deployed, putBack]);
});

test("a candidate that never got traffic leaves no mark", async () => {
  guard = host.guard();
  await deployUpTo(indexOf("shift"), host, guard);
  expect(await guard.refused("DO", "shift", "green", "blue", "172.18.0.9")).toMatch(/^FAIL/);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(marked()).toEqual([]);
});

test("the newest 20 marks are kept, and a series once", async () => {
  const old = Array.from({ length: 30 }, (_, n) => `${series("deploy", `old-${n}`, "blue")} ${n}.000`);
  writeFileSync(file(), ["# HELP of another version", `${deployed} 1.000`, ...old.slice(11), ""].join("\n"));
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  await isMarked(...old.slice(11).map((line) => line.split(" ")[0] ?? ""), deployed);
  expect(lines()).toHaveLength(22);
  expect(lines().filter((line) => line.startsWith("# HELP"))).toHaveLength(1);
});

test.each<[string, () => void]>([
  ["without the folder", () => rmSync(folder(), { recursive: true })],
  ["with one that can't be written", () => mkdirSync(`${file()}.next`)],
])("a host %s is deployed to as any other", async (_what, spoil) => {
  spoil();
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect(host.outcome()).toEqual(onTheNew);
  expect(existsSync(file())).toBe(false);
  expect(guard.lines.filter((line) => line.startsWith("UNMARKED"))).toHaveLength(existsSync(folder()) ? 1 : 0);
});
