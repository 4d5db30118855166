import { execFileSync } from "node:child_process";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { utils } from "ssh2";
import { fingerprint, hostKeyTrust, speaksOf } from "../../../src/host/known-hosts";
import { UserError } from "../../../src/user-error";
import { ed25519 } from "../../support/ssh-keys";

const ED25519 = ed25519().public;
const OTHER = ed25519().public;
const ECDSA = utils.generateKeyPairSync("ecdsa", { bits: 256 }).public;
const RSA = utils.generateKeyPairSync("rsa", { bits: 1024 }).public;

const blob = (key: string) => Buffer.from(key.split(" ")[1] ?? "", "base64");
const print = (key: string) => `SHA256:${createHash("sha256").update(blob(key)).digest("base64").slice(0, 43)}`;
const judge = (text: string, [address, port]: readonly [string, number] = ["10.0.0.5", 22]) =>
  hostKeyTrust(text, address, port).judge(blob(ED25519));

function hashed(name: string, key: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")} ${key}`;
}

const knows: readonly [what: string, text: string, address?: string, port?: number][] = [
  ["a plain line", `10.0.0.5 ${ED25519}`],
  ["a line with a comment", `10.0.0.5 ${ED25519} root@ip-10-0-0-5`],
  ["a line with several names", `web.example.com,10.0.0.5 ${ED25519}`],
  ["a line in another case", `WEB.example.com ${ED25519}`, "web.Example.com"],
  ["a host with a port of its own", `[10.0.0.5]:2222 ${ED25519}`, "10.0.0.5", 2222],
  ["a hashed name", hashed("10.0.0.5", ED25519)],
  ["a hashed name with a port", hashed("[10.0.0.5]:2222", ED25519), "10.0.0.5", 2222],
  ["an IPv6 address", `2001:db8::5 ${ED25519}`, "2001:db8::5"],
  ["a wildcard", `*.example.com ${ED25519}`, "web.example.com"],
  ["a wildcard for one character", `10.0.0.? ${ED25519}`],
  ["a wildcard with a port", `[*.example.com]:2222 ${ED25519}`, "web.example.com", 2222],
  ["a negated name for another host", `10.0.0.*,!10.0.0.6 ${ED25519}`],
  ["a bare public key", ED25519],
  ["a bare public key with a comment", `${ED25519} root@web`],
  ["a bare public key for any port", ED25519, "10.0.0.5", 2222],
  ["a fingerprint", print(ED25519)],
  ["a fingerprint with padding", `${print(ED25519)}=`],
  ["a line of ssh-keygen -l", `256 ${print(ED25519)} root@ip-10-0-0-5 (ED25519)`],
  ["CRLF line ends", `# hosts\r\n\r\n10.0.0.5 ${ED25519}\r\n`],
  ["comments and empty lines", `\n# 10.0.0.5 nonsense\n   \n10.0.0.5 ${ED25519}\n`],
  ["spaces and tabs around it", `  10.0.0.5\t${ED25519}  `],
  ["another key of the host before it", `10.0.0.5 ${ECDSA}\n10.0.0.5 ${ED25519}`],
  ["another key of the same type before it", `10.0.0.5 ${OTHER}\n10.0.0.5 ${ED25519}`],
  ["a fingerprint beside another host's line", `10.0.0.6 ${OTHER}\n${print(ED25519)}`],
  ["the revocation of another key", `@revoked * ${OTHER}\n10.0.0.5 ${ED25519}`],
];

test.each(knows.map(([what, text, address = "10.0.0.5", port = 22]) => ({ what, text, address, port })))(
  "knows the host by $what",
  ({ text, address, port }) => {
    expect(judge(text, [address, port])).toBe("known");
  },
);

const differs: readonly [what: string, text: string][] = [
  ["the line says another key", `10.0.0.5 ${OTHER}`],
  ["the line says a key of another type", `10.0.0.5 ${ECDSA}`],
  ["the fingerprint is another", print(OTHER)],
  ["the bare key is another", OTHER],
  ["only another host's line has this key", `10.0.0.5 ${OTHER}\n10.0.0.6 ${ED25519}`],
];

test.each(differs)("takes the key for changed when %s", (_what, text) => {
  expect(judge(text)).toBe("changed");
});

test.each([
  ["for this host", `@revoked 10.0.0.5 ${ED25519}\n10.0.0.5 ${ED25519}`],
  ["for all hosts", `10.0.0.5 ${ED25519}\n@revoked * ${ED25519}`],
  ["against its fingerprint", `${print(ED25519)}\n@revoked * ${ED25519}`],
])("takes the key for revoked when it is %s", (_what, text) => {
  expect(judge(text)).toBe("revoked");
});

const elsewhere: readonly [what: string, text: string, address: string, port: number][] = [
  ["another host", `10.0.0.6 ${ED25519}`, "10.0.0.5", 22],
  ["another port", `10.0.0.5 ${ED25519}`, "10.0.0.5", 2222],
  ["the usual port", `[10.0.0.5]:2222 ${ED25519}`, "10.0.0.5", 22],
  ["a host with dots where it has letters", `10.0.0.5 ${ED25519}`, "10a0b0c5", 22],
  ["a hashed other host", hashed("10.0.0.6", ED25519), "10.0.0.5", 22],
  ["everyone but this host", `*,!10.0.0.5 ${ED25519}`, "10.0.0.5", 22],
];

test.each(elsewhere)("says that no line is for the host when there is one for %s", (_what, text, address, port) => {
  const name = port === 22 ? address : `[${address}]:${port}`;
  expect(() => hostKeyTrust(text, address, port)).toThrow(
    new UserError(
      `ssh-known-hosts: none of its 1 lines is for "${name}". Add a line that begins with "${name} ", or the key's fingerprint (SHA256:...).`,
    ),
  );
});

test("trusts nothing where all that is said of the host is what was revoked", () => {
  expect(() => hostKeyTrust(`@revoked * ${OTHER}`, "10.0.0.5", 22)).toThrow('none of its 1 lines is for "10.0.0.5"');
});

test("says so when there is nothing at all", () => {
  expect(() => hostKeyTrust("\n# nothing\n", "10.0.0.5", 22)).toThrow('none of its 0 lines is for "10.0.0.5"');
});

const garbage: readonly [what: string, line: string][] = [
  ["words", "this is not a key"],
  ["one word", "10.0.0.5"],
  ["a host without a key", "10.0.0.5 ssh-ed25519"],
  ["a key cut off", `10.0.0.5 ${ED25519.slice(0, 20)}`],
  ["a type that the key is not", `10.0.0.5 ssh-rsa ${ED25519.split(" ")[1]}`],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----"],
  ["an MD5 fingerprint", "256 MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48 root@web (ED25519)"],
  ["a fingerprint cut off", print(ED25519).slice(0, -3)],
  ["a known_hosts of SSH 1", "10.0.0.5 1024 35 1234567890"],
  ["an unknown type", "10.0.0.5 ssh-magic AAAA"],
];

test.each(garbage)("says which line is none when it meets %s", (_what, line) => {
  expect(() => hostKeyTrust(`10.0.0.5 ${ED25519}\n\n${line}`, "10.0.0.5", 22)).toThrow(
    new UserError(
      'ssh-known-hosts: line 3 is neither a known_hosts line ("host type key") nor a fingerprint ("SHA256:...").',
    ),
  );
});

test("refuses a certificate authority, which it could not check", () => {
  expect(() => hostKeyTrust(`@cert-authority *.example.com ${ED25519}`, "web.example.com", 22)).toThrow(
    new UserError(
      "ssh-known-hosts: line 1 names a certificate authority, which is not supported. Give the host's own key or its fingerprint.",
    ),
  );
});

test("lets only the known key's types be negotiated", () => {
  const text = `10.0.0.5 ${ED25519}\n10.0.0.5 ${RSA}\n10.0.0.6 ${ECDSA}\n@revoked * ${ECDSA}`;
  expect(hostKeyTrust(text, "10.0.0.5", 22).types).toEqual(["ssh-ed25519", "ssh-rsa"]);
});

test("lets any type be negotiated where a fingerprint doesn't tell it", () => {
  expect(hostKeyTrust(`10.0.0.5 ${RSA}\n${print(ED25519)}`, "10.0.0.5", 22).types).toBeUndefined();
});

test("prints a fingerprint as ssh-keygen does, and reads its hashed lines", () => {
  const folder = mkdtempSync(join(tmpdir(), "known-hosts-"));
  const file = join(folder, "known_hosts");
  try {
    writeFileSync(file, `10.0.0.5 ${ED25519}\n`);
    const line = execFileSync("ssh-keygen", ["-l", "-f", file], { encoding: "utf8" });
    expect(line).toContain(fingerprint(blob(ED25519)));
    expect(judge(line)).toBe("known");
    execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "pipe" });
    expect(readFileSync(file, "utf8")).toMatch(/^\|1\|/);
    expect(judge(readFileSync(file, "utf8"))).toBe("known");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ["a line of its name", `10.0.0.5 ${ED25519}`, true],
  ["a fingerprint", print(ED25519), true],
  ["lines of others", `10.0.0.6 ${ED25519}`, false],
  ["what is revoked alone", `@revoked * ${ED25519}`, false],
  ["a comment", "# later", false],
])("speaks of a host by %s: %#", (_what, text, speaks) => {
  expect(speaksOf(text, "10.0.0.5", 22)).toBe(speaks);
});

test("a key that is revoked stays so, whoever else vouches for it", () => {
  const trust = hostKeyTrust(
    `@revoked * ${ED25519}\n${ED25519}\n${OTHER}`,
    "10.0.0.5",
    22,
    "the console output of i-1",
  );
  expect([trust.judge(blob(ED25519)), trust.judge(blob(OTHER))]).toEqual(["revoked", "known"]);
});
