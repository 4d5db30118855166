import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/*
 * What must lie on a host and must not be read there in clear by whoever sees one place alone: the text is in the state
 * folder, its key in the configuration of a container (AES-256-GCM, NIST SP 800-38D). Whoever may ask Docker can have both;
 * they can have the container's environment, too.
 */

const CIPHER = "aes-256-gcm";
const NONCE = 12;
const TAG = 16;

/** base64, 32 bytes */
export const newKey = (): string => randomBytes(32).toString("base64");

export function seal(text: string, key: string): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, "base64"), nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** @throws when the key is another one, or the text was changed */
export function open(sealed: string, key: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, "base64"), bytes.subarray(0, NONCE));
  decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
  return decipher.update(bytes.subarray(NONCE + TAG), undefined, "utf8") + decipher.final("utf8");
}
