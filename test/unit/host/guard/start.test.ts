import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { program } from "./guard-process";
import { HostFolder } from "./host-folder";

jest.setTimeout(60_000);
let host: HostFolder;
beforeEach(() => {
  host = HostFolder.serving();
});
afterEach(() => host.end());

/** Every file of the app's state: its inode, its times, its text. */
function everything(folder = host.state()): readonly unknown[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { ino, mtimeMs, ctimeMs, mode } = lstatSync(join(folder, name));
      const text = lstatSync(join(folder, name)).isFile() ? readFileSync(join(folder, name), "utf8") : "";
      return [name, ino, mtimeMs, ctimeMs, mode, text];
    });
}

test("says first that it is the guard, then what docker's API doesn't tell", async () => {
  const guard = host.guard();
  await guard.ready();
  expect(guard.lines).toEqual(["GUARD 1", expect.stringMatching(/^FACTS (\d+|-) \d+$/), "OK 0", "READY r1 nothing"]);
});

const halves = [
  "",
  ...program
    .split("\n")
    .flatMap((_line, at, lines) => (at % 12 === 0 && at < lines.length - 2 ? [lines.slice(0, at).join("\n")] : [])),
];
const lastLine = program.trimEnd().lastIndexOf("\n") + 1;
const cutInside = Array.from({ length: 'main "$@"'.length }, (_, length) => program.slice(0, lastLine + length));

test("does nothing when only a part of it arrives, wherever it is cut", async () => {
  const before = everything();
  const AT_ONCE = 8;
  const parts = [...halves, ...cutInside];
  for (let at = 0; at < parts.length; at += AT_ONCE) {
    const guards = parts.slice(at, at + AT_ONCE).map((part) => host.guard({ program: part }));
    await Promise.all(guards.map((guard) => guard.hangUp()));
    expect(guards.flatMap(({ lines }) => lines).filter((line) => !line.startsWith("stderr"))).toEqual([]);
  }
  expect(everything()).toEqual(before);
  expect(host.calls()).toEqual([]);
});

test("refuses to run where logind would kill it with the session", async () => {
  writeFileSync(host.path("bin/busctl"), '#!/bin/sh\n[ "$5" = KillUserProcesses ] && echo "b true"\n');
  chmodSync(host.path("bin/busctl"), 0o755);
  expect(await host.guard().says(/^REFUSED/)).toBe("REFUSED kill-user-processes");
});

test.each(["echo 'b false'", "echo 'Failed to connect to bus' >&2; exit 1"])(
  "runs where logind answers: %s",
  async (answer) => {
    writeFileSync(host.path("bin/busctl"), `#!/bin/sh\n${answer}\n`);
    chmodSync(host.path("bin/busctl"), 0o755);
    expect(await host.guard().ready()).toBe("r1 nothing");
  },
);

test("refuses a parent that is not sshd, because it would have to end it", async () => {
  symlinkSync("/bin/bash", host.path("bin/dropbear"));
  const guard = host.guard({ parent: "dropbear" });
  expect(await guard.says(/^REFUSED/)).toBe("REFUSED sshd its parent is not OpenSSH's sshd");
});

test("takes the sshd of OpenSSH 9.8 and later, which has another name", async () => {
  symlinkSync("/bin/bash", host.path("bin/sshd-session"));
  expect(await host.guard({ parent: "sshd-session" }).ready()).toBe("r1 nothing");
});

test("refuses an sshd that gives no SSH_CONNECTION", async () => {
  const guard = host.guard({ env: { SSH_CONNECTION: "" } });
  expect(await guard.says(/^REFUSED/)).toBe("REFUSED sshd SSH_CONNECTION is not set by its sshd");
});

test("says that an app has no folder yet, after the facts that making one needs", async () => {
  const guard = host.guard({ app: "blog" });
  expect(await guard.says(/^REFUSED/)).toBe("REFUSED absent");
  expect(guard.lines.findIndex((line) => line.startsWith("FACTS"))).toBe(1);
});

test("reports no committed release where there is none", async () => {
  rmSync(host.state("current"));
  expect(await host.guard().ready()).toBe(" nothing");
});

test("only looks, when asked to: no lock, no replay, no change", async () => {
  const deploy = host.guard();
  await deploy.ready();
  await deploy.ask("BEGIN", "r2");
  await deploy.ask("UNDO", "stop", "shop-1", "0");
  const before = [everything(), host.calls()];
  const look = host.guard({ mode: "look" });
  expect(await look.ready()).toBe("r1 pending");
  expect(await look.ask("BEAT")).toBe("OK");
  const [, releases = ""] = (await look.ask("DO", "releases")).split(" ");
  expect(Buffer.from(releases, "base64").toString()).toBe('[{"release":"r1"}]');
  const [, record = ""] = (await look.ask("DO", "read", "releases/r1/release.json")).split(" ");
  expect(Buffer.from(record, "base64").toString()).toBe('{"release":"r1"}');
  expect(await look.ask("DO", "read", "history")).toBe("OK");
  expect(await look.ask("DO", "space", "/")).toMatch(/^OK \d+$/);
  expect(await look.ask("BYE")).toBe("OK");
  await look.end();
  expect([everything(), host.calls()]).toEqual(before);
});

const changing = [
  "BEGIN 1 r2",
  "UNDO 1 stop shop-1 0",
  "RETIRE 1 stop shop-1 0",
  "COMMIT 1",
  "ABORT 1",
  "DO 1 policy shop-1 no",
  "DO 1 policy read no",
  "DO 1 forget releases",
  "DO 1 write releases/r1/release.json releases",
  "DO 1 begin-with space r2",
  "DO 1 shift green blue 172.18.0.2",
  "read 1 read history",
  "",
];

test.each(changing)('refuses "%s" in a look', async (message) => {
  host.create("read", { running: true, policy: "always" });
  mkdirSync(host.state("releases/releases"));
  const before = everything();
  const look = host.guard({ mode: "look" });
  await look.ready();
  look.send(message);
  await look.says(/^REFUSED message a look changes nothing$/);
  await look.end();
  expect([everything(), host.calls()]).toEqual([before, []]);
});

test("ends a look that nobody speaks to when its lease runs out", async () => {
  const look = host.guard({ mode: "look", lease: 1 });
  await look.ready();
  await look.end();
  expect(look.lines.some((line) => line.startsWith("LOST"))).toBe(false);
});

/** A file system of 64 KiB, less than the journal needs with what is there already; '' = or why not. */
function tinyDisk(at: string): string {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "guard-test", at], { stdio: "pipe" });
    return "";
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error).trim();
  }
}

test("begins nothing on a full disk, and says how much is free", async () => {
  const root = host.path("tiny");
  mkdirSync(root);
  const why = tinyDisk(root);
  if (why) {
    console.warn(`not tested, for want of a small file system: ${why}`);
    return;
  }
  try {
    mkdirSync(join(root, "shop/releases"), { recursive: true });
    const guard = host.guard({ env: { HELLO_DEVOPS_STATE: root } });
    await guard.ready();
    expect(await guard.refused("BEGIN", "r2")).toMatch(
      /^FAIL the undo journal can't be written: \d+ KiB are free on .*\/tiny\/shop$/,
    );
    expect(await guard.refused("UNDO", "stop", "shop-1", "0")).toMatch(/^FAIL not a journal entry/);
    expect(existsSync(join(root, "shop/journal"))).toBe(false);
    await guard.hangUp();
    expect(readdirSync(join(root, "shop")).sort()).toEqual(["holder", "lock", "releases"]);
    expect(host.calls()).toEqual([]);
  } finally {
    execFileSync("umount", ["--lazy", root]);
  }
});
