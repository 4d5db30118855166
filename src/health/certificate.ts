import type { TLSSocket } from "node:tls";
import { NoAnswer } from "./no-answer";

export interface Certificate {
  readonly expires: Date;
}

const DAY = 86_400_000;

/** What the server showed; undefined = a connection without TLS, or nothing to read. */
export function certificateOf(socket: TLSSocket): Certificate | undefined {
  const expires = new Date(socket.getPeerCertificate().valid_to ?? "");
  return Number.isNaN(expires.getTime()) ? undefined : { expires };
}

export function earliest(dates: readonly (Date | undefined)[]): Date | undefined {
  return dates.filter((date) => date !== undefined).sort((a, b) => a.getTime() - b.getTime())[0];
}

const day = (date: Date): string => date.toISOString().slice(0, 10);

/** Why this certificate must not be trusted, with its date or names, which Node's own message leaves out. */
export function untrusted(socket: TLSSocket, host: string): NoAnswer {
  const code = String(socket.authorizationError);
  return new NoAnswer(`${sentence(code, socket, host)} (${code})`, code);
}

function sentence(code: string, socket: TLSSocket, host: string): string {
  const { valid_from, valid_to, subjectaltname, subject } = socket.getPeerCertificate();
  const [until, from] = [new Date(valid_to ?? ""), new Date(valid_from ?? "")];
  // of a chain it may be another certificate: then this one's date is not the reason
  if (code === "CERT_HAS_EXPIRED")
    return until.getTime() < Date.now()
      ? `the certificate expired on ${day(until)}`
      : "a certificate of its chain has expired";
  if (code === "CERT_NOT_YET_VALID")
    return from.getTime() > Date.now()
      ? `the certificate is not valid before ${day(from)}`
      : "a certificate of its chain is not valid yet";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = subjectaltname?.replace(/\b(DNS|IP Address):/g, "") ?? String(subject?.CN ?? "no name");
    return `the certificate is for ${names}, not for ${host}`;
  }
  if (code === "DEPTH_ZERO_SELF_SIGNED_CERT") return "the certificate is signed by itself";
  if (/ISSUER_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF/.test(code))
    return "the certificate's chain leads to no authority that is trusted here";
  return "the certificate can't be trusted";
}

/** undefined = it is valid for `minDays` more; `at` = now, in milliseconds since 1970. */
export function expiresSoon({ expires }: Certificate, minDays: number, at: number): string | undefined {
  if (expires.getTime() - at >= minDays * DAY) return undefined;
  const left = Math.floor((expires.getTime() - at) / DAY);
  const when = left < 0 ? `expired on ${day(expires)}` : `expires on ${day(expires)}, in ${left} days`;
  return `the certificate ${when}, and min-certificate-days is ${minDays}`;
}
