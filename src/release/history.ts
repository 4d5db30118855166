import type { FORMAT } from "./record";
import type { Run } from "./request";

/** One line of `history` on a host: a change that was committed, or one that was taken back. The guard keeps the newest 200. */
export interface HistoryLine {
  readonly format: typeof FORMAT;
  readonly transaction: string;
  readonly release: string;
  readonly version?: string;
  readonly digest: string;
  /** what was committed before; `none` */
  readonly previous: string;
  /** `rolled-back`: a rollback brought this release back; `failed`: it was taken back, and `previous` serves */
  readonly result: "deployed" | "rolled-back" | "failed";
  /** what a person gave a rollback for one, or what stopped the change; '' = none */
  readonly reason?: string;
  /** ISO 8601, UTC */
  readonly at: string;
  readonly run: Run;
}

/** Oldest first. A line that can't be read, or is none of ours, tells nothing, and is in nobody's way. */
export function parseHistory(text: string): readonly HistoryLine[] {
  return text.split("\n").flatMap((line) => {
    try {
      const read: unknown = JSON.parse(line);
      return isLine(read) ? [read] : [];
    } catch {
      return [];
    }
  });
}

function isLine(read: unknown): read is HistoryLine {
  const { release, digest, previous, result, at, run } = read as Record<string, unknown>;
  const { id, attempt, actor, url } = run as Record<string, unknown>;
  const texts = [release, digest, previous, at, actor, url].every((text) => typeof text === "string");
  return (
    texts &&
    /^(deployed|rolled-back|failed)$/.test(String(result)) &&
    typeof attempt === "number" &&
    /^(number|undefined)$/.test(typeof id)
  );
}

/** A change that was taken back is none. */
export const lastCommitted = (history: readonly HistoryLine[]): HistoryLine | undefined =>
  history.findLast(({ result }) => result !== "failed");

const LONGEST_REASON = 300;

/** The line as a journal's entry carries it. */
export function entryOf(line: HistoryLine): string {
  const reason = (line.reason ?? "").slice(0, LONGEST_REASON).toWellFormed();
  return Buffer.from(JSON.stringify({ ...line, reason })).toString("base64");
}
