import type { Outcome, Status } from "../release/outcome";
import type { RollbackOutcome } from "../release/rollback";
import { cut, safeLines, safeText } from "./hostile-text";

const annotatedLogLines = 10;
// GitHub cuts an annotation at 4096 bytes
const longestReason = 1500;
const longestLogLine = 200;

export interface Annotation {
  readonly title: string;
  readonly message: string;
}

/** The outputs of actions/deploy-ec2. A dry run changed nothing, so its status is `unchanged`. */
export function outputsOf(outcome: Outcome): Record<string, string> {
  const status = told(outcome.status);
  const hosts = outcome.hosts.map((host) => ({
    host: host.name,
    status: told(host.status),
    release: host.serving?.release ?? "",
  }));
  return {
    status,
    release: outcome.release,
    digest: outcome.digest,
    "previous-release": outcome.previous?.release ?? "",
    "previous-digest": outcome.previous?.digest ?? "",
    url: outcome.url,
    hosts: JSON.stringify(hosts),
    "failed-gate": outcome.failure?.gate ?? "",
    reason: safeText(outcome.failure?.reason ?? ""),
    duration: (outcome.duration / 1000).toFixed(1),
  };
}

/** The outputs of actions/rollback-ec2: those of a deploy, and what there was to choose from. */
export const rollbackOutputsOf = (outcome: RollbackOutcome): Record<string, string> => ({
  ...outputsOf(outcome),
  releases: JSON.stringify(outcome.releases.map(harmless)),
});

const longestText = 300;

/** What a host's file says may meet a log that the runner reads. */
const harmless = (past: object): object =>
  Object.fromEntries(Object.entries(past).map(([name, text]) => [name, cut(safeText(String(text)), longestText)]));

const told = (status: Status): string => (status === "planned" ? "unchanged" : status);

/** The one annotation of a change that failed: where, why, and what the candidate said last. */
export function annotationOf({ change, failure, status }: Outcome): Annotation | undefined {
  if (!failure) return undefined;
  const what = change === "deploy" ? "Deploy" : "Rollback";
  const end = change === "deploy" && status === "rolled-back" ? "rolled back" : "failed";
  const title = failure.cancelled ? `${what} cancelled in ${failure.gate}` : `${what} ${end}: ${failure.gate}`;
  const log = safeLines(failure.log.join("\n"), annotatedLogLines).map((line) => `| ${cut(line, longestLogLine)}`);
  const quoted = log.length > 0 ? ["The candidate's last log lines:", ...log] : [];
  return { title: safeText(title), message: [cut(safeText(failure.reason), longestReason), ...quoted].join("\n") };
}
