import type { HeaderRule, StatusRange } from "./expectation";
import type { JsonComparison, Operator } from "./json-comparison";

export type { HeaderRule, JsonComparison, Operator };

/**
 * What is to be proved. Every value is checked; durations are milliseconds.
 * The words and defaults are those of actions/verify-health/action.yml.
 */
export interface VerifyRequest {
  /** one at least */
  readonly targets: readonly Target[];
  readonly question: Question;
  readonly expected: ExpectedAnswer;
  readonly family: 0 | 4 | 6;
  readonly tls: TlsRequest;
  readonly time: TimeRequest;
}

/** One check: a URL, asked where its name leads or at an address of its own. */
export interface Target {
  /** http, https, ws, wss or tcp; no user, no fragment */
  readonly url: URL;
  /** an IP address or a name, IPv6 without brackets; undefined = the URL's own */
  readonly address: string | undefined;
}

export interface Question {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** the value of the Authorization header; undefined = none */
  readonly authorization: string | undefined;
  /** '' = none */
  readonly body: string;
  readonly followRedirects: boolean;
}

export interface ExpectedAnswer {
  readonly status: readonly StatusRange[];
  readonly body: RegExp | undefined;
  readonly headers: readonly HeaderRule[];
  readonly json: readonly JsonComparison[];
  readonly version: string | undefined;
  readonly versionFrom: VersionSource;
}

export type VersionSource = { readonly header: string } | { readonly json: string };

export interface TlsRequest {
  readonly verify: boolean;
  /** PEM certificates in place of the usual authorities; undefined = the usual ones */
  readonly authorities: string | undefined;
  /** 0 = any day that is left will do */
  readonly minDays: number;
}

export interface TimeRequest {
  readonly timeout: number;
  readonly interval: number;
  readonly backoff: boolean;
  readonly requestTimeout: number;
  readonly threshold: number;
  readonly hold: number;
  readonly maxFailures: number;
  /** undefined = any */
  readonly maxLatency: number | undefined;
  readonly percentile: number;
}
