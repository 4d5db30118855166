import type Docker from "dockerode";
import type { HistoryLine } from "./history";
import { ancestorsOf, type Kept } from "./lineage";
import { isNone } from "./naming";
import { called, type ReleaseRecord } from "./record";

/** What a host has been running, and what of it is there still. */
export interface Past extends Kept {
  /** oldest first */
  readonly history: readonly HistoryLine[];
  /** opens what the release's record seals; '' = nothing */
  readonly keyOf: (record: ReleaseRecord) => string;
  readonly proxy: Docker.ContainerInspectInfo | undefined;
  /** haproxy.cfg of the live release */
  readonly liveConfig: string;
  /** the app's own network is there */
  readonly network: boolean;
  /** bytes that the live release uses */
  readonly memory: number;
}

/** One change of the past, for the output `releases`. */
export interface PastRelease {
  readonly release: string;
  readonly version: string;
  readonly digest: string;
  /** ISO 8601, UTC */
  readonly when: string;
  readonly who: string;
  /** the URL of its workflow run, or its id; '' = unknown */
  readonly run: string;
  readonly result: HistoryLine["result"];
  readonly reason: string;
  /** `serves` now; `kept`: a rollback can go there; `gone`: it is no longer on the host */
  readonly now: "serves" | "kept" | "gone";
}

const MOST = 50; // GitHub cuts outputs at 1 MB a job

export function pastReleases(past: Past): readonly PastRelease[] {
  return past.history
    .slice(-MOST)
    .reverse()
    .map(({ release, version = "", digest, at, run, result, reason = "" }) => ({
      release,
      version,
      digest,
      when: at,
      who: run.actor,
      run: run.url || String(run.id ?? ""),
      result,
      reason,
      now: nowOf(release, past),
    }));
}

function nowOf(release: string, { current, releases, isThere }: Past): PastRelease["now"] {
  if (current.release === release) return "serves";
  const record = releases.find((record) => record.release === release);
  return record && isThere(record) ? "kept" : "gone";
}

/** For a person: first what a rollback can go to, nearest first, then what happened, newest first. */
export function listing(past: Past): readonly string[] {
  const { current, releases, isThere } = past;
  const way = ancestorsOf(current, releases);
  const others = releases.filter((record) => record !== current && !way.includes(record) && !isNone(record.release));
  const offered = [
    ...way.map((record, n) => [record, `to: -${n + 1}`] as const),
    ...others.map((record) => [record, `to: ${called(record)}`] as const),
  ].filter(([record]) => isThere(record) && !record.adopted);
  return [
    `Serves now: ${called(current)} (${current.version}, ${current.digest}).`,
    offered.length > 0 ? "A rollback can go to:" : "There is no other release to go back to.",
    ...offered.map(
      ([{ release, version, digest, createdAt }, to]) =>
        `  ${to.padEnd(8)} ${release} (${version}, ${digest}), deployed ${createdAt}`,
    ),
    "History, newest first:",
    ...pastReleases(past).map(
      ({ when, result, release, who, run, reason, now }) =>
        `  ${when} ${result} ${release} (${now})${who ? ` by ${who}` : ""}${run ? `, ${run}` : ""}${reason ? `: ${reason}` : ""}`,
    ),
  ];
}
