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
  /** a sentence for each thing, the healthy ones too */
  readonly evidence: readonly string[];
}

export const judged = (findings: readonly Finding[]): Judgement => ({
  status: together(findings.map(({ status }) => status)),
  evidence: findings.map(({ says }) => says),
});
