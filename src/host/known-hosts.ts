import { createHash, createHmac } from "node:crypto";
import { UserError } from "../user-error";

/** What is known of a host's key, and how a key that the host shows compares with it. */
export interface HostKeyTrust {
  /** who says it, as in "the key is not the one in SOURCE" */
  readonly source: string;
  /** the key types that may be negotiated; undefined = any (only fingerprints are known) */
  readonly types: readonly string[] | undefined;
  judge(key: Buffer): "known" | "changed" | "unknown" | "revoked";
}

interface KnownKey {
  readonly matches: (name: string) => boolean;
  readonly revoked: boolean;
  readonly type: string;
  readonly blob: string;
}

/** `SHA256:` and 43 characters of base64 without padding, as `ssh-keygen -l` prints it. */
export const fingerprint = (key: Buffer): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** The input of an action. */
export const SSH_KNOWN_HOSTS = "ssh-known-hosts";

/**
 * Reads what is in `ssh-known-hosts`: lines of a known_hosts file (plain, wildcard and hashed names, `@revoked`; sshd(8)),
 * bare public keys, or `SHA256:` fingerprints, in any mixture.
 *
 * @param source where else such lines come from
 * @throws {UserError} on a line that is none of these, or when nothing is said of this host.
 */
export function hostKeyTrust(text: string, address: string, port: number, source = SSH_KNOWN_HOSTS): HostKeyTrust {
  const { fingerprints, keys, mine, trusted, name } = said(text, address, port);
  if (trusted.length === 0 && fingerprints.size === 0) {
    throw new UserError(
      `ssh-known-hosts: none of its ${keys.length} lines is for "${name}". Add a line that begins with "${name} ", or the key's fingerprint (SHA256:...).`,
    );
  }
  return {
    source,
    types: fingerprints.size > 0 ? undefined : [...new Set(trusted.map((key) => key.type))],
    judge(key) {
      const blob = key.toString("base64");
      if (mine.some((known) => known.revoked && known.blob === blob)) return "revoked";
      if (mine.some((known) => known.blob === blob) || fingerprints.has(fingerprint(key))) return "known";
      return mine.length > 0 || fingerprints.size > 0 ? "changed" : "unknown";
    },
  };
}

/** Whether it says anything of this host that its key could be judged by. @throws {UserError} on a line that is none */
export function speaksOf(text: string, address: string, port: number): boolean {
  const { fingerprints, trusted } = said(text, address, port);
  return trusted.length > 0 || fingerprints.size > 0;
}

function said(text: string, address: string, port: number) {
  const fingerprints = new Set<string>();
  const keys: KnownKey[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const print = /(?:^|\s)(SHA256:[A-Za-z0-9+/]{43})=?(?:\s|$)/.exec(line);
    if (print?.[1]) fingerprints.add(print[1]);
    else keys.push(knownKey(line, index + 1));
  }
  const name = port === 22 ? address : `[${address}]:${port}`;
  const mine = keys.filter((key) => key.matches(name));
  return { fingerprints, keys, mine, trusted: mine.filter((key) => !key.revoked), name };
}

function knownKey(line: string, number: number): KnownKey {
  const words = line.split(/\s+/);
  const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
  if (marker === "@cert-authority") {
    throw new UserError(
      `ssh-known-hosts: line ${number} names a certificate authority, which is not supported. Give the host's own key or its fingerprint.`,
    );
  }
  const bare = isKeyType(words[0] ?? "");
  const names = bare ? "*" : (words.shift() ?? "");
  const [type = "", blob = ""] = words;
  if (!isKeyType(type) || !isBlobOf(type, blob)) {
    throw new UserError(
      `ssh-known-hosts: line ${number} is neither a known_hosts line ("host type key") nor a fingerprint ("SHA256:...").`,
    );
  }
  return { matches: matcher(names), revoked: marker === "@revoked", type, blob };
}

const isKeyType = (word: string): boolean => /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp\d+)$/.test(word);

/** A key's blob begins with its own type, as a length and a string (RFC 4253, 6.6). */
function isBlobOf(type: string, blob: string): boolean {
  const bytes = Buffer.from(blob, "base64");
  return bytes.length > type.length + 4 && bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0)) === type;
}

function matcher(names: string): (name: string) => boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(names);
  if (hashed?.[1] && hashed[2]) {
    const [, salt, hash] = hashed;
    return (name) => createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  const patterns = names.split(",").map((word) => ({ not: word.startsWith("!"), test: glob(word.replace(/^!/, "")) }));
  return (name) =>
    patterns.some(({ not, test }) => !not && test(name)) && !patterns.some(({ not, test }) => not && test(name));
}

function glob(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => expression.test(name);
}
