import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { HostFolder } from "./host-folder";
import { until } from "./until";

let host: HostFolder;
beforeEach(() => {
  host = HostFolder.serving();
});
afterEach(() => host.end());

test("tells who holds the lock, waits, and has it when the first deploy ends", async () => {
  const first = host.guard({ holder: "run 1 by ann since 02:18" });
  expect(await first.ready()).toBe("r1 nothing");
  const second = host.guard({ holder: "run 2 by bob", transaction: "t3" });
  expect(await second.says(/^HELD/)).toBe("HELD run 1 by ann since 02:18");
  expect(second.lines.some((line) => line.startsWith("READY"))).toBe(false);
  expect(await first.ask("BYE")).toBe("OK");
  expect(await second.ready()).toBe("r1 nothing");
  const third = host.guard({ transaction: "t4" });
  expect(await third.says(/^HELD/)).toBe("HELD run 2 by bob");
});

test("waits for a holder that has not written yet who it is, as at two first deploys at once", async () => {
  rmSync(host.state("holder"), { force: true });
  const other = spawn("flock", [host.state("lock"), "-c", "echo held; read -r end"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(other.stdout, "data");
  try {
    const guard = host.guard({ transaction: "t3" });
    expect(await guard.ask("BEAT")).toBe("OK"); // it answers from the queue
    expect(guard.lines.some((line) => /^(HELD|READY)/.test(line))).toBe(false);
    expect(await guard.says(/^HELD/)).toBe("HELD"); // it waits long: a holder on a full disk never writes it
    guard.lines.length = 0;
    writeFileSync(host.state("holder"), "run 9 by eve\nt9\n");
    expect(await guard.says(/^HELD/)).toBe("HELD run 9 by eve");
    other.stdin.end("\n");
    expect(await guard.ready()).toBe("r1 nothing");
  } finally {
    other.stdin.end();
  }
});

test("tells those who wait when the holder changes", async () => {
  const first = host.guard({ holder: "run 1" });
  await first.ready();
  const others = ["2", "3"].map((n) => host.guard({ holder: `run ${n}`, transaction: `t${n}3` }));
  for (const other of others) await other.says(/^HELD run 1$/);
  await first.ask("BYE");
  const has = (line: string) => others.find(({ lines }) => lines.some((said) => said.startsWith(line)));
  await until(() => has("READY") !== undefined, "one of them to be ready");
  const [won, waits] = has("READY") === others[0] ? others : [...others].reverse();
  await waits?.says(won === others[0] ? /^HELD run 2$/ : /^HELD run 3$/);
});

test("has the lock as soon as its holder was killed", async () => {
  const first = host.guard();
  await first.ready();
  const second = host.guard({ transaction: "t3" });
  await second.says(/^HELD/);
  await first.kill();
  expect(await second.ready()).toBe("r1 nothing");
});

test("is not kept out by a docker stop that a killed guard left behind", async () => {
  const first = host.guard();
  await first.ready();
  await first.ask("BEGIN", "r2");
  await first.ask("UNDO", "stop", "shop-1", "0");
  host.order("hold-stop");
  first.send("ABORT 9");
  await host.called("stop -t 0 shop-1");
  await first.kill();
  const second = host.guard({ transaction: "t3" });
  await until(() => host.calls().filter((call) => call.startsWith("stop")).length === 2, "the second guard's replay");
  expect(second.lines.some((line) => line.startsWith("HELD"))).toBe(false);
  host.countermand("hold-stop");
  expect(await second.ready()).toBe("r1 undone");
});

test("begins only when a deed of the killed guard is over, so that none lands after its replay", async () => {
  const first = host.guard();
  await first.ready();
  await first.ask("BEGIN", "r2");
  await first.ask("UNDO", "policy", "shop-1", "always");
  host.order("hold-update");
  first.send("DO 9 policy shop-1 no");
  await host.called("update --restart no");
  await first.kill();
  const second = host.guard({ transaction: "t3" });
  await second.says(/^HELD/);
  host.countermand("hold-update");
  expect(await second.ready()).toBe("r1 undone");
  expect(host.outcome().containers["shop-1"]).toBe("runs, always");
});

test("answers a beat while it waits, and ends with its runner", async () => {
  const first = host.guard();
  await first.ready();
  const second = host.guard({ transaction: "t3" });
  await second.says(/^HELD/);
  expect(await second.ask("BEAT")).toBe("OK");
  expect(await second.ask("BEAT")).toBe("OK");
  await second.hangUp();
  expect(second.lines.filter((line) => /^(READY|LOST)/.test(line))).toEqual([]);
  expect(first.ended).toBe(false);
});

test("hears a message whole whose first part came while it waited for the lock", async () => {
  const first = host.guard();
  await first.ready();
  const second = host.guard({ transaction: "t3" });
  const looksAgain = async (holder: string) => {
    writeFileSync(host.state("holder"), `${holder}\nt9\n`);
    await second.says(new RegExp(`^HELD ${holder}$`));
  };
  second.sshd.stdin.write("BEA");
  await looksAgain("run 3"); // what it read before that may have ended before the part came
  await looksAgain("run 4");
  second.sshd.stdin.write("T 70\nBE");
  await second.says(/^OK 70$/);
  await looksAgain("run 5");
  await looksAgain("run 6");
  await first.ask("BYE");
  await second.ready();
  second.sshd.stdin.write("AT 71\n");
  expect(await second.says(/^(OK 71|LOST)/)).toBe("OK 71");
});

test("lets another app's deploy run beside it", async () => {
  await host.guard().ready();
  expect(await host.guard({ app: "blog" }).says(/^REFUSED/)).toBe("REFUSED absent");
});

test("refuses a host that its own deploy names twice, by whatever names", async () => {
  await host.guard({ turn: "first" }).ready();
  expect(await host.guard({ turn: "first" }).says(/^REFUSED/)).toMatch(/^REFUSED twice /);
});

test("takes no lock before it is its turn, and answers beats until then", async () => {
  const first = host.guard({ turn: "never" });
  expect(await first.ask("BEAT")).toBe("OK");
  expect(await host.guard({ transaction: "t3" }).ready()).toBe("r1 nothing");
  first.send("LOCK 7 first");
  await first.says(/^HELD/);
});

test.each(["LOCK 1 twice", "LOCK x first", "BEGIN 1 r2", "DO 1 policy shop-1 no"])(
  "takes no lock for %s",
  async (line) => {
    const guard = host.guard({ turn: "never" });
    guard.send(line);
    expect(await guard.says(/^REFUSED/)).toBe("REFUSED message LOCK expected");
  },
);
