import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { alive, type GuardProcess, program } from "./guard-process";
import { HostFolder } from "./host-folder";
import { DEPLOY, deployUpTo, HISTORY, onTheNew, onTheOld, R1_RELOADED, R2_CONFIG } from "./one-deploy";
import { until } from "./until";

jest.setTimeout(60_000);
let host: HostFolder;
let guard: GuardProcess;
beforeEach(() => {
  host = HostFolder.serving();
});
afterEach(() => host.end());

async function shifted(lease = 30): Promise<void> {
  guard = host.guard({ lease });
  await deployUpTo(DEPLOY.length, host, guard);
}

/** Another channel of an SSH connection: sshd gives each a session of its own. */
function channelOf(connection: string) {
  return spawn("sleep", ["1000"], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, SSH_CONNECTION: connection },
  });
}

const lost = () => guard.lines.find((line) => line.startsWith("LOST"));
const undone = () => guard.lines.filter((line) => line.startsWith("UNDONE")).map((line) => line.split(" ")[1]);
const NEWEST_FIRST = ["policy", "ready", "vacate", "remove", "forget", "config"];

test("takes a deploy back, newest mutation first, when its input ends", async () => {
  await shifted();
  await guard.hangUp();
  expect(lost()).toBe("LOST end of input");
  expect(undone()).toEqual(NEWEST_FIRST);
  expect(host.outcome()).toEqual(onTheOld);
});

test("takes a deploy back when the lease runs out, and says that it was the lease", async () => {
  guard = host.guard({ lease: 1 });
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  await guard.ask("UNDO", "policy", "shop-1", "always");
  host.create("shop-1", { running: true, policy: "no" });
  await guard.end();
  expect(lost()).toBe("LOST the lease ran out");
  expect(host.outcome()).toEqual(onTheOld);
});

test("takes it for lost when a lease ends in the middle of a message", async () => {
  guard = host.guard({ lease: 1 });
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  guard.sshd.stdin.write("COMMIT 3");
  await guard.end();
  expect(lost()).toBe("LOST the lease ran out");
  expect(host.current()).toBe("releases/r1");
});

test.each(["HELLO 5", "BEAT five", "", "COMMITS 7", "undo 8 policy shop-1 always"])(
  'takes a deploy back when its runner says "%s", which is no message',
  async (line) => {
    guard = host.guard();
    await guard.ready();
    await guard.ask("BEGIN", "r2");
    await guard.ask("UNDO", "stop", "shop-1", "0");
    guard.send(line);
    await guard.end();
    expect(lost()).toMatch(/^LOST (unknown message|number expected)/);
    expect(host.outcome().containers["shop-1"]).toBe("stopped, always");
    expect(host.outcome().journal).toBe(false);
  },
);

test("ends its own connection before it undoes, and leaves every other connection alone", async () => {
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  await guard.ask("UNDO", "stop", "shop-1", "0");
  const own = [channelOf(guard.connection), channelOf(guard.connection)];
  const others = [channelOf(`${guard.connection}22`), channelOf("192.0.2.9 1 192.0.2.2 22")]; // the first begins alike
  try {
    host.order("hold-stop");
    guard.sshd.stdin.end();
    await host.called("stop "); // the first that the undo asks of docker
    await until(() => guard.sshdEnded, "the end of its sshd");
    expect(own.map(({ pid }) => alive(pid ?? 0))).toEqual([false, false]);
    expect(others.map(({ pid }) => alive(pid ?? 0))).toEqual([true, true]);
    host.countermand("hold-stop");
    await guard.end();
    expect(host.outcome().containers["shop-1"]).toBe("stopped, always");
  } finally {
    for (const channel of [...own, ...others]) channel.kill("SIGKILL");
  }
});

test("holds the lock until everything is taken back", async () => {
  await shifted();
  host.order("hold-update");
  guard.sshd.stdin.end();
  await host.called("update --restart no shop-2");
  const next = host.guard({ transaction: "t3" });
  await next.says(/^HELD/);
  host.countermand("hold-update");
  expect(await next.ready()).toBe("r1 nothing");
  expect(host.outcome()).toEqual(onTheOld);
});

test("aborts without ending the connection of a runner that asks for it", async () => {
  await shifted();
  const other = channelOf(guard.connection);
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(undone()).toEqual(NEWEST_FIRST);
  expect(alive(other.pid ?? 0)).toBe(true);
  expect(lost()).toBeUndefined();
  other.kill("SIGKILL");
  expect(host.outcome()).toEqual(onTheOld);
});

test("renames first, then retires the old release in order", async () => {
  await shifted();
  const before = host.calls().length;
  host.order("hold-update");
  guard.send("COMMIT 99");
  guard.send("FINISH 99");
  await guard.says(/^COMMITTED 99$/);
  expect(host.current()).toBe("releases/r2");
  host.countermand("hold-update");
  await guard.says(/^RETIRED 99$/);
  const finished = guard.lines.filter((line) => line.startsWith("FINISHED")).map((line) => line.split(" ")[1]);
  expect(finished).toEqual(["config", "history", "policy", "vacate", "stop"]);
  expect(
    host
      .calls()
      .slice(before)
      .filter((call) => /^(update|stop)/.test(call)),
  ).toEqual(["update --restart no shop-1", "stop -t 0 shop-1"]);
  expect(host.outcome()).toEqual({ ...onTheNew, history: [HISTORY] });
});

test("finishes forward when its runner is lost after the commit", async () => {
  await shifted();
  host.order("hold-stop");
  guard.send("COMMIT 99");
  guard.send("FINISH 99");
  await host.called("stop -t 0 shop-1");
  guard.sshd.stdin.end();
  host.countermand("hold-stop");
  await guard.end();
  expect(host.outcome()).toEqual(onTheNew);
});

test("waits for a docker daemon that is down, and finishes when it is back", async () => {
  await shifted();
  host.order("down");
  const before = host.calls().length;
  guard.sshd.stdin.end();
  await until(() => host.calls().length > before + 3, "calls that a daemon that is down refuses");
  expect(undone()).toEqual([]);
  host.countermand("down");
  await guard.end();
  expect(undone()).toEqual(NEWEST_FIRST);
  expect(host.outcome()).toEqual(onTheOld);
});

test("needs no proxy to undo: one that is stopped is started on the committed release", async () => {
  await shifted();
  writeFileSync(host.path("docker/containers/shop-proxy/running"), "0");
  await guard.hangUp();
  expect(undone()).toEqual(NEWEST_FIRST);
  expect(host.outcome()).toEqual(onTheOld);
});

test("needs no proxy at all to undo", async () => {
  await shifted();
  rmSync(host.path("docker/containers/shop-proxy"), { recursive: true });
  await guard.hangUp();
  expect(undone()).toEqual(NEWEST_FIRST);
  expect(host.outcome()).toMatchObject({ current: "releases/r1", journal: false, releases: onTheOld.releases });
});

test("goes on with its undo through SIGHUP, and with its output closed", async () => {
  await shifted();
  host.order("hold-update");
  guard.sshd.stdin.end();
  await host.called("update --restart no shop-2");
  guard.sshd.stdout.destroy();
  guard.sshd.stderr.destroy();
  process.kill(guard.pid, "SIGHUP");
  host.countermand("hold-update");
  await guard.end();
  expect(host.outcome()).toEqual(onTheOld);
});

test("waits for requests in flight on the candidate before it cuts them", async () => {
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  await guard.ask("UNDO", "vacate", "green", "60");
  writeFileSync(host.path("docker/sessions/green"), "3");
  guard.send("ABORT 9");
  const looks = () => host.calls().filter((call) => call.includes("show stat")).length;
  await until(() => looks() > 2, "a few looks at the requests in flight");
  expect(host.outcome().green).toMatch(/^drain/);
  writeFileSync(host.path("docker/sessions/green"), "0");
  await guard.says(/^ABORTED 9$/);
  expect(host.outcome().green).toBe("maint");
});

test("stops the old release only when a worker from before a reload has let go of it", async () => {
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  const write = (file: string, text: string) =>
    guard.ask("DO", "write", `releases/${file}`, Buffer.from(text).toString("base64"));
  await write("r1/haproxy.cfg.next", R1_RELOADED);
  expect(await guard.ask("DO", "apply", "r1")).toBe("OK");
  await write("r2/haproxy.cfg", R2_CONFIG);
  await guard.ask("DO", "fill", "green", "shop-2", "172.18.0.2", "5000", "v2");
  expect(await guard.ask("DO", "shift", "green", "blue", "172.18.0.2")).toBe("OK");
  await guard.ask("RETIRE", "vacate", "blue", "60");
  await guard.ask("RETIRE", "stop", "shop-1", "0");
  writeFileSync(host.path("docker/processes"), "3");
  guard.send("COMMIT 99");
  guard.send("FINISH 99");
  const looks = () => host.calls().filter((call) => call.includes("/proc/[0-9]")).length;
  await until(() => looks() > 2, "a few looks for the worker of before");
  expect(host.outcome().containers["shop-1"]).toBe("runs, always");
  writeFileSync(host.path("docker/processes"), "2");
  await guard.says(/^RETIRED 99$/);
  expect(host.outcome().containers["shop-1"]).toBe("stopped, always");
});

test("commits no release whose proxy configuration is not there", async () => {
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  expect(await guard.refused("COMMIT")).toBe("FAIL current could not be renamed");
  expect(host.current()).toBe("releases/r1");
});

test("loads the committed configuration into a proxy that restarted before the rename", async () => {
  await shifted();
  writeFileSync(host.path("docker/slots/blue"), "ready shop-1"); // what it starts on while r1 is committed
  writeFileSync(host.path("docker/slots/green"), "maint green.invalid");
  guard.send("COMMIT 99");
  guard.send("FINISH 99");
  await guard.says(/^RETIRED 99$/);
  expect(host.outcome()).toMatchObject({ green: "ready shop-2", blue: "maint" });
});

test("shifts nothing to a slot that a restarted proxy has forgotten", async () => {
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  expect(await guard.refused("DO", "shift", "green", "blue", "172.18.0.2")).toBe("FAIL the slot green is not up");
  expect(host.outcome()).toMatchObject({ blue: "ready shop-1", green: "maint" });
});

test("shifts nothing to a slot that leads to another address", async () => {
  await shifted();
  await guard.ask("DO", "fill", "green", "shop-2", "172.18.0.2", "5000", "v2");
  expect(await guard.refused("DO", "shift", "green", "blue", "172.18.0.9")).toBe("FAIL the slot green is not up");
  expect(await guard.ask("DO", "shift", "green", "blue", "172.18.0.2")).toBe("OK");
});

test("does nothing behind an entry that it could not write, and commits nothing", async () => {
  host.diskCanFill();
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  await guard.ask("DO", "fill", "green", "shop-2", "172.18.0.2", "5000", "v2");
  const before = host.outcome();
  host.order("full");
  guard.send("UNDO 20 ready blue shop-1"); // at once, as a runner sends them
  guard.send("DO 21 shift green blue 172.18.0.2");
  guard.send("COMMIT 22");
  const said = (line: string) => Buffer.from(line.split(" ")[2] ?? "", "base64").toString();
  expect(said(await guard.says(/^FAIL 20 /))).toBe("the undo journal can't be written");
  expect(said(await guard.says(/^FAIL 21 /))).toBe("an entry before it could not be written");
  await guard.says(/^FAIL 22 /);
  expect(host.outcome()).toEqual(before);
});

test("brings the traffic back before it tries again what docker can't write on a full disk", async () => {
  await shifted();
  host.order("fail-update");
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(undone()).toEqual([...NEWEST_FIRST.slice(1), "policy"]); // of a container that is gone by then
  expect(host.outcome()).toEqual(onTheOld);
});

test("keeps the journal when an entry can't be done, says which, and the next guard does it", async () => {
  guard = host.guard({ program: program.replace("ENTRY_TRIES=40", "ENTRY_TRIES=1") });
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  await guard.ask("UNDO", "policy", "shop-1", "unless-stopped");
  host.order("fail-update");
  expect(await guard.ask("ABORT")).toBe("STUCK policy shop-1 unless-stopped");
  await guard.end();
  host.countermand("fail-update");
  expect(await host.guard({ transaction: "t3" }).ready()).toBe("r1 undone");
  expect(host.outcome()).toMatchObject({ journal: false, containers: { "shop-1": "runs, unless-stopped" } });
});
