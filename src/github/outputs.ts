import type { Outcome, Status } from "../release/outcome";
import type { RollbackOutcome } from "../release/rollback";
import type { Annotation } from "./annotation";
import { cut, safeLines, safeText } from "./hostile-text";
import { firstNextOf, resultsOf } from "./verify-outputs";

const annotatedLogLines = 10;
// GitHub cuts an annotation at 4096 bytes
const longestReason = 1500;
const longestLogLine = 200;

/** The outputs of actions/deploy-ec2. A dry run changed nothing, so its status is `unchanged`. */
export function outputsOf(outcome: Outcome): Record<string, string> {
  const status = told(outcome.status);
  const hosts = outcome.hosts.map((host) => ({
    host: host.name,
    status: told(host.status),
    release: host.serving?.release ?? "",
    ...(host.instance && { name: safeText(host.instance.name), zone: host.instance.zone }),
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

/** The outputs of deploy-and-verify: those of a deploy, and what its URLs said. */
export const verifiedOutputsOf = (outcome: Outcome): Record<string, string> => ({
  ...outputsOf(outcome),
  "verify-status": outcome.verification?.status ?? "",
  "verify-results": outcome.verification ? resultsOf(outcome.verification.checks) : "",
});

const longestText = 300;

/** What a host's file says may meet a log that the runner reads. */
const harmless = (past: object): object =>
  Object.fromEntries(Object.entries(past).map(([name, text]) => [name, cut(safeText(String(text)), longestText)]));

const told = (status: Status): string => (status === "planned" ? "unchanged" : status);

/** The one annotation of a change that failed: where, why, and what the candidate said last. */
export function annotationOf({ change, failure, status, verification }: Outcome): Annotation | undefined {
  if (!failure) return undefined;
  const what = change === "deploy" ? "Deploy" : "Rollback";
  const end = change === "deploy" && status === "rolled-back" ? "rolled back" : "failed";
  const title = failure.cancelled ? `${what} cancelled in ${failure.gate}` : `${what} ${end}: ${failure.gate}`;
  const log = safeLines(failure.log.join("\n"), annotatedLogLines).map((line) => `| ${cut(line, longestLogLine)}`);
  const quoted = log.length > 0 ? ["The candidate's last log lines:", ...log] : [];
  const told = failure.gate === "verify-url" && verification ? firstNextOf(verification.checks) : [];
  const message = [cut(safeText(failure.reason), longestReason), ...told, ...quoted].join("\n");
  return { title: safeText(title), message };
}
