import { type Status, together } from "./gate";

/** One thing that a gate looked at. */
export interface Finding {
  readonly status: Status;
  /** a whole sentence */
  readonly says: string;
}

/** What a gate made of all that it looked at. */
export interface Judgement {
  readonly status: Status;
  /** a sentence for each thing, the healthy ones too; those that decide come first */
  readonly evidence: readonly string[];
}

export function judged(findings: readonly Finding[]): Judgement {
  const status = together(findings.map((finding) => finding.status));
  const [deciding, others] = [true, false].map((decides) =>
    findings.filter((one) => (one.status === status) === decides),
  );
  return { status, evidence: [...(deciding ?? []), ...(others ?? [])].map(({ says }) => says) };
}
