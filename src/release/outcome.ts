/** How a deploy ended, and what its host runs now. */
export interface Outcome {
  readonly status: "deployed" | "unchanged" | "rolled-back" | "failed" | "planned";
  /** the release that this deploy was to make; '' before it had a name */
  readonly release: string;
  readonly digest: string;
  readonly previous: ReleaseName | undefined;
  /** what the host runs at the end, as the host says; undefined = nothing, or it could not be asked */
  readonly serving: ReleaseName | undefined;
  readonly url: string;
  readonly host: string;
  /** the host itself has said what it runs, or nothing on it was touched */
  readonly settled: boolean;
  readonly failure: Failure | undefined;
  readonly phases: readonly PhaseTime[];
  readonly evidence: readonly Evidence[];
  readonly warnings: readonly string[];
  /** ISO 8601, UTC */
  readonly startedAt: string;
  /** milliseconds */
  readonly duration: number;
}

export interface ReleaseName {
  readonly release: string;
  readonly version: string;
  readonly digest: string;
}

export interface Failure {
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
  readonly gate: string;
  readonly verdict: "healthy" | "unhealthy" | "inconclusive";
  readonly probes: number;
  readonly expected: string;
  readonly lastSeen: string;
}
