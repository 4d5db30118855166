import type { Standing, Status } from "./gate";
import type { Bucket, Latencies } from "./latency";

export type { Bucket, Standing, Status };

/** How a verification ended: what outputs, log and summary are made of. */
export interface VerifyOutcome {
  readonly status: Status;
  readonly cancelled: boolean;
  /** in the order of the request's targets, then of the signals */
  readonly checks: readonly CheckOutcome[];
  readonly duration: number;
}

export interface CheckOutcome {
  /** the URL, and the address where `resolve` names one: "https://shop.example.com/ at 10.0.0.7"; or a signal's name */
  readonly name: string;
  /** without its query's text, which may be a token; '' = a signal */
  readonly url: string;
  /** '' = where the URL's own name leads */
  readonly address: string;
  readonly status: Status;
  /** '' = healthy; else a sentence */
  readonly reason: string;
  readonly attempts: number;
  /** how often what was seen: "200", "200 wrong body", "ECONNREFUSED" */
  readonly seen: Readonly<Record<string, number>>;
  /** the kind of the last one */
  readonly lastKind: string;
  /** undefined = nothing was seen */
  readonly lastStanding: Standing | undefined;
  readonly lastSeen: string;
  readonly lastBody: string;
  /** those that the right answers named since their row began, else the last one that was named; '' = none was */
  readonly version: string;
  /** of all right answers; undefined = there was none, or it is a signal */
  readonly latencies: Latencies | undefined;
  readonly certificateExpires: Date | undefined;
  readonly expected: string;
}
