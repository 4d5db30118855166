// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what a shell would expand
import { existsSync, readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import type { GuardProcess } from "./guard-process";
import { HostFolder } from "./host-folder";
import { onTheOld } from "./one-deploy";

jest.setTimeout(60_000);
let host: HostFolder;
let guard: GuardProcess;
beforeAll(async () => {
  host = HostFolder.serving();
  guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
});
afterAll(() => host.end());

const long = (length: number) => "a".repeat(length);
const hostile = [
  "$(touch${IFS}pwned)",
  "`touch${IFS}pwned`",
  "x;touch${IFS}pwned",
  "x|y",
  "x&y",
  "../r1",
  "..",
  "/etc",
  "-rf",
  "--help",
  "x*",
  "x?",
  "~",
  "x\\n",
  "x'y",
  'x"y',
  "X",
  "x_y",
  "x.y",
  "é",
  "a\u0001b",
  "a\u007f",
  "a[0]",
];

let journal: readonly string[];
let calls: number;
beforeEach(() => {
  journal = host.journal();
  calls = host.calls().length;
});
afterEach(() => {
  expect([host.journal(), host.calls().length, host.outcome()]).toEqual([
    journal,
    calls,
    { ...onTheOld, journal: true },
  ]);
  expect([existsSync(host.state("pwned")), existsSync(host.path("pwned"))]).toEqual([false, false]);
  expect(readdirSync(host.state()).sort()).toEqual(["current", "format", "holder", "journal", "lock", "releases"]);
});

const nameless = (name: string) => [
  `remove ${name} 10`,
  `keep ${name} 10`,
  `stop ${name} 10`,
  `policy ${name} always`,
  `ready blue ${name}`,
  `network ${name}`,
  `forget ${name}`,
  `config ${name}`,
  `take-port ${name} 1`,
  `give-back ${name}`,
  `discard ${name}`,
];

test.each(hostile)("writes no entry with the name %j", async (name) => {
  for (const entry of nameless(name)) {
    const answer = await guard.refused("UNDO", entry);
    expect([entry, answer.slice(0, 26)]).toEqual([entry, "FAIL not a journal entry: "]);
  }
});

const entries: readonly [what: string, entry: string][] = [
  ["nothing", ""],
  ["a name of 64", `remove ${long(64)} 10`],
  ["a release of 33", `forget ${long(33)}`],
  ["too few words", "remove shop-2"],
  ["too many words", "remove shop-2 10 20"],
  ["an unknown verb", "explode shop-2"],
  ["a verb with a slash", "/bin/rm shop-2"],
  ["a third slot", "maint red"],
  ["two slots", "maint blue green"],
  ["an unknown policy", "policy shop-1 on-error"],
  ["a policy with a word behind it", "policy shop-1 on-failure:3;id"],
  ["a port's holder by its name", "take-port shop-proxy 1"],
  ["a port's holder by half an id", `give-back ${"0".repeat(63)}`],
  ["a holder to discard by its name", "discard shop-proxy"],
  ["a negative number", "stop shop-1 -1"],
  ["an octal number", "stop shop-1 08"],
  ["a fraction", "stop shop-1 1.5"],
  ["too large a number", "vacate blue 100000"],
  ["arithmetic", "vacate blue a[$(id)]"],
  ["text that is not base64", "history {}"],
  ["a deed", "fill blue shop-2 172.18.0.3 5000 v2"],
  ["a slot that resumes nothing", "resume blue"],
  ["a path that is forbidden", "forbid ../r1 shop-2"],
];

test.each(entries)("writes no entry with %s", async (_what, entry) => {
  expect(await guard.refused("UNDO", entry)).toMatch(/^FAIL not a journal entry: /);
  expect(await guard.refused("RETIRE", entry)).toMatch(/^FAIL not a journal entry: /);
});

const deeds: readonly [what: string, deed: string][] = [
  ["nothing", ""],
  ["an unknown verb", "explode"],
  ["a shell", "bash -c true"],
  ["a journal's verb that is no deed", "remove shop-1 0"],
  ["a write outside the releases", "write current YQ=="],
  ["a write above the folder", "write releases/../format YQ=="],
  ["a write into a folder below", "write releases/r1/x/release.json YQ=="],
  ["a write of another file", "write releases/r1/passwd YQ=="],
  ["a write of what is not base64", "write releases/r1/release.json $(id)"],
  ["a write by an absolute path", "write /etc/releases/r1/release.json YQ=="],
  ["a read of the lock", "read lock"],
  ["a read above the folder", "read ../../docker/calls"],
  ["a read of a password file", "read /etc/passwd"],
  ["the space of a relative path", "space x"],
  ["the space of a path with a command", "space /$(id)"],
  ["a slot that shifts to itself", "shift blue blue 172.18.0.2"],
  ["a slot at no address", "shift green blue example.com"],
  ["a slot that is none", "shift red blue 172.18.0.2"],
  ["a release that is a path", "check ../r1"],
  ["a proxy command behind a name", "fill green shop-2;shutdown 172.18.0.3 5000 v2"],
  ["a proxy command behind an address", "fill green shop-2 172.18.0.3;x 5000 v2"],
  ["a name for an address", "fill green shop-2 example.com 5000 v2"],
  ["a proxy command behind a port", "fill green shop-2 172.18.0.3 5000;x v2"],
  ["a proxy command behind a version", "fill green shop-2 172.18.0.3 5000 v2;x"],
  ["too long a version", `fill green shop-2 172.18.0.3 5000 ${long(65)}`],
  ["too few words", "fill green shop-2 172.18.0.3 5000"],
  ["a policy that is none", "policy shop-1 always;x"],
  ["a permission outside the releases", "permit ../r1 shop-2"],
  ["a permission for a path", "permit r1 ../../lock"],
  ["a container that stands aside for no time", "stand-aside blue shop-1"],
  ["a port that is given back, which is a journal's alone", `give-back ${"0".repeat(64)}`],
];

test.each(deeds)("does nothing for %s", async (_what, deed) => {
  expect(await guard.refused("DO", deed)).toMatch(/^FAIL not a deed: /);
});

test.each(hostile)("begins no second transaction, and none for a release called %j", async (name) => {
  expect(await guard.refused("BEGIN", name)).toBe(`FAIL cannot begin ${name}`);
});

test("still answers after all of these", async () => {
  expect(await guard.ask("BEAT")).toBe("OK");
});
