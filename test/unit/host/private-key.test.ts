import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { utils } from "ssh2";
import { privateKey } from "../../../src/host/private-key";
import { UserError } from "../../../src/user-error";
import { ed25519 } from "../../support/ssh-keys";

const ED25519 = ed25519();
const RSA = utils.generateKeyPairSync("rsa", { bits: 2048 });
const ECDSA = utils.generateKeyPairSync("ecdsa", { bits: 384 });
const LOCKED = ed25519({ passphrase: "open sesame", cipher: "aes256-ctr", rounds: 4 });
const pem = (type: "pkcs1" | "pkcs8", cipher?: string) =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type, format: "pem", ...(cipher ? { cipher, passphrase: "open sesame" } : {}) },
  });

const taken: readonly [what: string, pasted: string, passphrase?: string][] = [
  ["an ed25519 key", ED25519.private],
  ["an RSA key", RSA.private],
  ["an ECDSA key", ECDSA.private],
  ["CRLF line ends", ED25519.private.replaceAll("\n", "\r\n")],
  ["line ends of an old Mac", ED25519.private.replaceAll("\n", "\r")],
  ["a lost last line end", ED25519.private.trimEnd()],
  ["lines and spaces around it", `\n\n  ${ED25519.private}  \n\t\n`],
  ["spaces at the ends of its lines", ED25519.private.replaceAll("\n", "  \n")],
  ["the same indent before each line", ED25519.private.replaceAll(/^/gm, "    ")],
  ["a passphrase that opens it", LOCKED.private, "open sesame"],
  ["a passphrase that it doesn't need", ED25519.private, "open sesame"],
  ["an RSA key in PEM format, as EC2 gives it", pem("pkcs1").privateKey],
  ["an encrypted RSA key in PEM format", pem("pkcs1", "aes-128-cbc").privateKey, "open sesame"],
];

test.each(taken.map(([what, pasted, passphrase = ""]) => ({ what, pasted, passphrase })))(
  "takes $what",
  ({ pasted, passphrase }) => {
    const key = privateKey(pasted, passphrase);
    const parsed = utils.parseKey(key, passphrase || undefined);
    expect(parsed).not.toBeInstanceOf(Error);
    expect(key).toMatch(/^-----BEGIN [A-Z ]+-----\n[^\r]*\n-----END [A-Z ]+-----\n$/);
  },
);

const NOT_A_KEY =
  "ssh-key: this is not a private key in OpenSSH or PEM format. Paste the whole file, from -----BEGIN to -----END.";
const PUBLIC = "ssh-key: this is a public key. Put the private key there (it begins with -----BEGIN).";
const WRONG = "ssh-key: the key can't be decrypted with ssh-key-passphrase. Check the passphrase.";
const LOCKED_OUT = "ssh-key: the key is encrypted. Give its passphrase in ssh-key-passphrase.";
const PKCS8 =
  'ssh-key: this key is in PKCS#8 format ("BEGIN PRIVATE KEY"), which is not supported. Rewrite the file in OpenSSH format: ssh-keygen -p -f KEY (an empty new passphrase leaves it without one).';
const PUTTY = "ssh-key: this is a PuTTY key. Export it in OpenSSH format (PuTTYgen: Conversions, Export OpenSSH key).";

const refused: readonly [what: string, pasted: string, message: string, passphrase?: string][] = [
  ["nothing", "", NOT_A_KEY],
  ["words", "my key", NOT_A_KEY],
  ["base64 without its frame", ED25519.private.split("\n").slice(1, -2).join("\n"), NOT_A_KEY],
  ["half a key", ED25519.private.slice(0, 120), NOT_A_KEY],
  [
    "a key without its middle",
    ED25519.private
      .split("\n")
      .filter((_line, at) => at !== 3)
      .join("\n"),
    NOT_A_KEY,
  ],
  ["a certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", NOT_A_KEY],
  ["line ends that became \\n", ED25519.private.replaceAll("\n", "\\n"), NOT_A_KEY],
  ["an ed25519 public key", ED25519.public, PUBLIC],
  ["an ECDSA public key", ECDSA.public, PUBLIC],
  ["a public key of a security token", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t", PUBLIC],
  ["a public key in PEM format", pem("pkcs1").publicKey, PUBLIC],
  [
    "a public key of SSH.com",
    `---- BEGIN SSH2 PUBLIC KEY ----\n${ED25519.public.split(" ")[1]}\n---- END SSH2 PUBLIC KEY ----`,
    PUBLIC,
  ],
  ["a PuTTY key", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAA\n", PUTTY],
  ["an encrypted key without a passphrase", LOCKED.private, LOCKED_OUT],
  ["an encrypted key with a wrong passphrase", LOCKED.private, WRONG, "open barley"],
  ["an encrypted PEM key without a passphrase", pem("pkcs1", "aes-128-cbc").privateKey, LOCKED_OUT],
  ["an encrypted PEM key with a wrong passphrase", pem("pkcs1", "aes-128-cbc").privateKey, WRONG, "open barley"],
  ["a PKCS#8 key", pem("pkcs8").privateKey, PKCS8],
  ["an encrypted PKCS#8 key", pem("pkcs8", "aes-256-cbc").privateKey, PKCS8, "open sesame"],
];

test.each(refused.map(([what, pasted, message, passphrase = ""]) => ({ what, pasted, message, passphrase })))(
  "refuses $what, and shows nothing of it",
  ({ pasted, message, passphrase }) => {
    let error: unknown;
    try {
      privateKey(pasted, passphrase);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toEqual(new UserError(message));
    const shown = `${(error as Error).stack} ${(error as { cause?: Error }).cause?.stack}`;
    const secrets = pasted.split(/\s+/).filter((word) => /^[A-Za-z0-9+/=]{20,}$/.test(word));
    expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    if (passphrase) expect(shown).not.toContain(passphrase);
  },
);

test("reads a PKCS#8 key once ssh-keygen has rewritten it as the message says", () => {
  const folder = mkdtempSync(join(tmpdir(), "private-key-"));
  const file = join(folder, "key");
  try {
    writeFileSync(file, pem("pkcs8").privateKey, { mode: 0o600 });
    execFileSync("ssh-keygen", ["-p", "-f", file, "-N", ""], { stdio: "pipe" });
    expect(privateKey(readFileSync(file, "utf8"), "")).toContain("BEGIN OPENSSH PRIVATE KEY");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
