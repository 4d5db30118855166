import { utils } from "ssh2";
import { UserError } from "../user-error";

/**
 * A private key as ssh2 takes it, from what people paste into a secret: CRLF line ends, indents and a lost last newline
 * are mended.
 *
 * @throws {UserError} when it is not a private key that can be read with this passphrase. The key is never in the message.
 */
export function privateKey(pasted: string, passphrase: string): string {
  const lines = pasted.split(/\r\n|\r|\n/).map((line) => line.trim());
  const key = `${lines.join("\n").trim()}\n`;
  if (key.startsWith("PuTTY-User-Key-File")) {
    throw new UserError(
      "ssh-key: this is a PuTTY key. Export it in OpenSSH format (PuTTYgen: Conversions, Export OpenSSH key).",
    );
  }
  if (/^(ssh-|ecdsa-|sk-)/.test(key) || /^-{4,5} ?BEGIN .*PUBLIC KEY/.test(key)) {
    throw new UserError("ssh-key: this is a public key. Put the private key there (it begins with -----BEGIN).");
  }
  if (/^-----BEGIN (ENCRYPTED )?PRIVATE KEY/.test(key)) {
    throw new UserError(
      'ssh-key: this key is in PKCS#8 format ("BEGIN PRIVATE KEY"), which is not supported. Rewrite the file in OpenSSH format: ssh-keygen -p -f KEY (an empty new passphrase leaves it without one).',
    );
  }
  const parsed = utils.parseKey(key, passphrase || undefined);
  if (!(parsed instanceof Error)) return key;
  throw new UserError(`ssh-key: ${whyUnreadable(parsed.message, passphrase)}`, { cause: parsed });
}

function whyUnreadable(message: string, passphrase: string): string {
  if (/no passphrase/i.test(message)) return "the key is encrypted. Give its passphrase in ssh-key-passphrase.";
  if (passphrase !== "" && /passphrase|integrity|decrypt|bad/i.test(message)) {
    return "the key can't be decrypted with ssh-key-passphrase. Check the passphrase.";
  }
  return "this is not a private key in OpenSSH or PEM format. Paste the whole file, from -----BEGIN to -----END.";
}
