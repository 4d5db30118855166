import type { VerifyOutcome } from "../health/outcome";
import type { Instance } from "./world";

export type Status = "deployed" | "unchanged" | "rolled-back" | "failed" | "planned";

/** How a change of the release ended, and what its hosts run now. */
export interface Outcome {
  readonly change: "deploy" | "rollback";
  readonly status: Status;
  /** the release that was to come; '' before it had a name */
  readonly release: string;
  readonly version: string;
  /** its image's name */
  readonly image: string;
  readonly digest: string;
  /** its container is on the host */
  readonly containerLeft: boolean;
  /** what the first host ran before */
  readonly previous: ReleaseName | undefined;
  /** where the first host answers */
  readonly url: string;
  /** in the order of `hosts` */
  readonly hosts: readonly HostOutcome[];
  /** every host itself has said what it runs, or nothing on it was touched */
  readonly settled: boolean;
  readonly failure: Failure | undefined;
  readonly phases: readonly PhaseTime[];
  readonly evidence: readonly Evidence[];
  readonly warnings: readonly string[];
  /** what the app's own URLs said before the commit; undefined = they were not asked */
  readonly verification: VerifyOutcome | undefined;
  /** ISO 8601, UTC */
  readonly startedAt: string;
  /** milliseconds */
  readonly duration: number;
}

/** How it ended on one host. */
export interface HostOutcome {
  readonly name: string;
  /** where AWS was asked for it */
  readonly instance?: Instance | undefined;
  readonly status: Status;
  readonly url: string;
  readonly previous: ReleaseName | undefined;
  /** what it runs at the end, as it says; undefined = nothing, or it could not be asked */
  readonly serving: ReleaseName | undefined;
  readonly settled: boolean;
}

export interface ReleaseName {
  readonly release: string;
  readonly version: string;
  readonly digest: string;
}

export interface Failure {
  /** the host that stopped it, where there are several */
  readonly host?: string | undefined;
  /** the phase or gate that stopped it: `connect`, `pull`, `probe`, `bake`, ... */
  readonly gate: string;
  /** one sentence: what was expected, what was seen, what serves */
  readonly reason: string;
  /** the candidate's last log lines, as it wrote them: hostile text */
  readonly log: readonly string[];
  readonly cancelled: boolean;
  /** what was thrown, when it was neither a user's mistake nor a gate's no */
  readonly cause?: unknown;
}

export interface PhaseTime {
  readonly name: string;
  /** ISO 8601, UTC */
  readonly startedAt: string;
  /** milliseconds */
  readonly duration: number;
  readonly result: "done" | "failed" | "skipped";
}

/** What one gate saw. */
export interface Evidence {
  /** where several hosts are deployed to */
  readonly host?: string;
  readonly gate: string;
  readonly verdict: "healthy" | "unhealthy" | "inconclusive";
  readonly probes: number;
  readonly expected: string;
  readonly lastSeen: string;
}
