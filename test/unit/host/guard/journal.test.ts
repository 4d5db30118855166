// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a shell would expand
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { HostFolder } from "./host-folder";
import { aboutToCommit, onTheOld } from "./one-deploy";

jest.setTimeout(120_000);
let prepared: HostFolder;
let journal: string;
let hosts: HostFolder[] = [];

beforeAll(async () => {
  prepared = HostFolder.serving();
  await aboutToCommit(prepared);
  journal = readFileSync(prepared.state("journal"), "utf8");
});
afterAll(() => prepared.end());
beforeEach(() => {
  hosts = [];
});
afterEach(() => Promise.all(hosts.map((host) => host.end())));

const checksum = (payload: string) => createHash("sha256").update(payload).digest("hex").slice(0, 16);
const signed = (payload: string) => `${payload} ${checksum(payload)}`;
const linesOf = (text: string) => text.split("\n").filter(Boolean);

/** A host on which a deploy died and left this journal. */
function leftWith(text: string): HostFolder {
  const host = prepared.copy();
  writeFileSync(host.state("journal"), text);
  hosts.push(host);
  return host;
}

/** What the next guard says of it, and that it asked docker for nothing where it refused. */
async function next(host: HostFolder): Promise<string> {
  const calls = host.calls().length;
  const before = host.outcome();
  const said = await host.guard({ transaction: "t3" }).ready();
  if (said.startsWith("REFUSED")) expect([host.calls().length, host.outcome()]).toEqual([calls, before]);
  return said;
}

test("replays a journal that format 1 wrote", async () => {
  const fixture = join(__dirname, "../../../fixtures/state-format-1/journal");
  const host = leftWith(readFileSync(fixture, "utf8"));
  expect(await next(host)).toBe("r1 undone");
  expect(host.outcome()).toMatchObject({ journal: false });
});

test("has an entry on the disk, with its checksum, before it answers", async () => {
  const host = HostFolder.serving();
  hosts.push(host);
  const guard = host.guard();
  await guard.ready();
  expect(await guard.ask("BEGIN", "r2")).toBe("OK");
  expect(host.journal()).toEqual([expect.stringMatching(/^begin 1 t2 r2 [0-9]+ [0-9]+ 192\.0\.2\.1 .* [0-9a-f]{16}$/)]);
  for (const entry of ["forget r2", "remove shop-2 10", "vacate green 30", "ready blue shop-1"]) {
    expect(await guard.ask("UNDO", entry)).toBe("OK");
    expect(host.journal().at(-1)).toBe(signed(`undo ${entry}`));
  }
  expect(await guard.ask("RETIRE", "stop shop-1 10")).toBe("OK");
  expect(host.journal().at(-1)).toBe(signed("retire stop shop-1 10"));
  expect(readFileSync(host.state("journal")).length).toBe(65_536); // its space was there first
});

test("ignores a last line torn at any byte, because its mutation was not yet allowed", async () => {
  const header = linesOf(journal)[0] ?? "";
  const last = signed("undo policy shop-1 unless-stopped");
  const torn = Array.from({ length: last.length }, (_, length) => last.slice(0, length));
  const AT_ONCE = 6;
  for (let at = 0; at < torn.length; at += AT_ONCE) {
    const found = torn.slice(at, at + AT_ONCE).map(async (line) => {
      const host = leftWith(`${header}\n${line}${"\n".repeat(500)}`);
      return [line, await next(host), host.outcome().containers["shop-1"]];
    });
    expect(await Promise.all(found)).toEqual(
      torn.slice(at, at + AT_ONCE).map((line) => [line, "r1 undone", "runs, always"]),
    );
  }
});

test("ignores a journal whose first line never got to the disk whole", async () => {
  const header = linesOf(journal)[0] ?? "";
  for (const text of ["", "\n".repeat(1000), `${header.slice(0, 20)}\n`, header.slice(0, -1)])
    expect([text, await next(leftWith(text))]).toEqual([text, "r1 nothing"]);
});

test("undoes by whole lines without a last line end", async () => {
  const host = leftWith(journal.trimEnd());
  expect(await next(host)).toBe("r1 undone");
  expect(host.outcome()).toEqual(onTheOld);
});

const damages: readonly [what: string, text: () => string][] = [
  ["a flipped letter", () => journal.replace("undo forget", "undo forgot")],
  ["a torn line with another after it", () => journal.replace(/(undo remove shop-2) 0 [0-9a-f]+/, "$1")],
  ["a line without its checksum", () => journal.replace(/(undo ready blue shop-1) [0-9a-f]+/, "$1")],
  ["zeros", () => journal.replace("undo ready", "\0\0\0\0 ready")],
  ["a damaged first line", () => journal.replace("begin 1", "begin 0")],
];

test.each(damages)("refuses a journal with %s in the middle, and touches nothing", async (_what, text) => {
  expect(await next(leftWith(text()))).toMatch(
    /^REFUSED damage a line in the middle of .*\/shop\/journal is damaged: /,
  );
});

const pwned = "/tmp/pwned-by-a-journal";
const forged: readonly [what: string, line: string][] = [
  ["an unknown verb", "undo explode shop-2"],
  ["a shell command for a verb", "undo $(touch${IFS}/tmp/pwned-by-a-journal) x"],
  ["a path that leaves the folder", "undo forget ../../docker"],
  ["an option in place of a name", "undo stop --help 0"],
  ["an octal number", "undo stop shop-1 08"],
  ["arithmetic for a number", "undo vacate green a[$(touch${IFS}/tmp/pwned-by-a-journal)]"],
  ["no entry at all", "undo"],
  ["an unknown kind", "redo stop shop-1 0"],
  ["a retire with a command", "retire policy shop-1 always;reboot"],
];

test.each(forged)("refuses a journal with %s, even under a right checksum", async (_what, line) => {
  const [header = ""] = linesOf(journal);
  expect(await next(leftWith(`${header}\n${signed("undo stop shop-1 0")}\n${signed(line)}\n`))).toMatch(
    /^REFUSED damage /,
  );
  expect(() => readFileSync(pwned)).toThrow("ENOENT");
});

const headers: readonly [what: string, line: string, refusal: RegExp][] = [
  ["a newer format", "begin 2 t2 r2 1 1 192.0.2.1 1 192.0.2.2 22", /^REFUSED format 2$/],
  ["a format that is no number", "begin one t2 r2 1 1 192.0.2.1 1 192.0.2.2 22", /^REFUSED format one$/],
  ["arithmetic for a format", "begin a[$(touch${IFS}/tmp/pwned-by-a-journal)] t2 r2 1 1 x", /^REFUSED format /],
  ["a target that leaves the folder", "begin 1 t2 ../r2 1 1 192.0.2.1 1 192.0.2.2 22", /^REFUSED damage /],
  ["too few words", "begin 1 t2", /^REFUSED damage /],
  ["a process that is no number", "begin 1 t2 r2 -1 1 192.0.2.1 1 192.0.2.2 22", /^REFUSED damage /],
];

test.each(headers)("refuses a journal whose first line has %s", async (_what, line, refusal) => {
  expect(await next(leftWith(`${signed(line)}\n${signed("undo stop shop-1 0")}\n`))).toMatch(refusal);
  expect(() => readFileSync(pwned)).toThrow("ENOENT");
});

test.each(["2\n", "999\n", "1.5\n", "x\n", "a[$(id)]\n", "-1\n"])(
  "refuses a state folder of the format %j",
  async (format) => {
    const host = leftWith("");
    rmSync(host.state("journal"));
    writeFileSync(host.state("format"), format);
    expect(await next(host)).toBe(`REFUSED format ${format.trim()}`);
  },
);
