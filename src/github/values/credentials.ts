import { X509Certificate } from "node:crypto";
import { UserError } from "../../user-error";
import type { Parse } from "./parse";

/** `user:password`, as the value of an Authorization header (RFC 7617). Errors don't repeat it. */
export const basicAuth: Parse<string> = (name, text) => {
  if (/^[^:\p{Cc}]+:[^\p{Cc}]*$/u.test(text)) return `Basic ${Buffer.from(text).toString("base64")}`;
  throw new UserError(`${name}: expected user:password on one line.`);
};

/** A token, as the value of an Authorization header (RFC 6750). */
export const bearerToken: Parse<string> = (name, text) => {
  if (/^Bearer\s/i.test(text)) throw new UserError(`${name}: it begins with Bearer; write the token alone.`);
  if (/^[\x21-\x7e]{1,8192}$/.test(text)) return `Bearer ${text}`;
  throw new UserError(`${name}: expected one word of ASCII characters; is it the right secret?`);
};

/** One PEM certificate or several, each of which can be read. */
export const certificates: Parse<string> = (name, text) => {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new UserError(`${name}: it holds a private key; write the certificate of the authority alone.`);
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0)
    throw new UserError(
      `${name}: expected certificates in PEM form (-----BEGIN CERTIFICATE----- and so on), found none.`,
    );
  for (const [index, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      throw new UserError(`${name}: certificate ${index + 1} can't be read; paste it whole, line by line.`, { cause });
    }
  }
  return `${found.join("\n")}\n`;
};
