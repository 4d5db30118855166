import { GuardLost } from "../host/guard/failures";
import { UserError } from "../user-error";
import { Cancelled, GateError, sentence } from "./failure";
import type { Failure, Outcome, ReleaseName } from "./outcome";
import type { ReleaseRecord } from "./record";
import type { Report } from "./report";
import type { DeployRequest } from "./request";
import type { Scene } from "./scene";
import { candidateSlot } from "./traffic";
import type { Transaction } from "./transaction";
import type { Truth } from "./truth";
import type { World } from "./world";

export const nameOf = ({ release, version, digest }: ReleaseRecord): ReleaseName => ({ release, version, digest });

const candidateName = ({ candidate, request, scene }: Transaction): ReleaseName => ({
  release: candidate.id,
  version: request.version,
  digest: scene.image.digest,
});

/** Where the app answers, as the host is named; IPv6 in brackets (RFC 3986). */
export function urlOf(request: DeployRequest, { hostName }: Pick<World, "hostName">): string {
  const { httpPort } = request.traffic;
  return `http://${hostName.includes(":") ? `[${hostName}]` : hostName}${httpPort === 80 ? "" : `:${httpPort}`}`;
}

/** What every ending tells; `serving` is what was committed when the deploy began, where nothing else is said. */
function base(request: DeployRequest, world: World, { current, scene }: Report) {
  const previous = current && nameOf(current);
  return {
    release: scene?.id ?? "",
    digest: scene?.image.digest ?? request.image.digest ?? "",
    previous,
    serving: previous,
    url: urlOf(request, world),
    host: world.hostName,
    settled: true,
    failure: undefined,
  };
}

export const deployed = (tx: Transaction, world: World, report: Report): Outcome =>
  report.close({ ...base(tx.request, world, report), status: "deployed", serving: candidateName(tx) });

export function committedAfterAll(tx: Transaction, world: World, report: Report): Outcome {
  report.warn(`The connection was lost during the commit, and the host says that ${tx.candidate.id} is committed.`);
  return deployed(tx, world, report);
}

/** Nothing was changed: a wrong input, a host that can't take the deploy, a cancel in time. */
export function failedBefore(request: DeployRequest, world: World, report: Report, cause: unknown): Outcome {
  const failure = failureOf(cause, report.phaseNow, []);
  return report.close({ ...base(request, world, report), status: "failed", failure });
}

interface Aborted {
  readonly cause: unknown;
  readonly phase: string;
  readonly lines: readonly string[];
  readonly truth: Truth | undefined;
}

const LEFT_ALONE =
  " What the host runs now was not asked: its guard settles by itself, at the latest once the lease has run out.";

export function afterAbort(
  tx: Transaction,
  world: World,
  report: Report,
  { cause, phase, lines, truth }: Aborted,
): Outcome {
  return report.close({
    ...base(tx.request, world, report),
    status: tx.scene.current && truth ? "rolled-back" : "failed",
    serving: truth?.serving,
    settled: truth !== undefined,
    failure: failureOf(cause, phase, lines, truth ? "" : LEFT_ALONE),
  });
}

export function unchanged(request: DeployRequest, world: World, report: Report): Outcome {
  const all = base(request, world, report);
  const release = all.serving?.release ?? "";
  world.log.info(`${release} serves already, with the same image, options, env and checks: nothing to do.`);
  return report.close({ ...all, status: "unchanged", release });
}

export function planned(request: DeployRequest, world: World, report: Report, scene: Scene): Outcome {
  const { current, id } = scene;
  const { health, traffic } = request;
  const lines = [
    `Would ${scene.imagePresent ? "use" : "pull"} ${scene.reference}`,
    ...(scene.proxy ? [] : [`Would start the proxy (${traffic.proxyImage}) on port ${traffic.httpPort}`]),
    ...(request.preDeploy ? [`Would run pre-deploy: ${request.preDeploy.command.join(" ")}`] : []),
    `Would start ${request.app}-${id} in the slot ${candidateSlot(current)}, beside ${current?.container ?? "nothing"}`,
    `Would ask ${health.path} until ${health.threshold} answers in a row are right, ${health.startTimeout / 1000} s at most`,
    `Would shift all traffic and watch it for ${request.bakeTime / 1000} s`,
    `Would commit ${id}${current ? `, then drain and stop ${current.container} and keep it` : ""}`,
  ];
  for (const line of lines) world.log.info(line);
  return report.close({ ...base(request, world, report), status: "planned" });
}

export function plannedFirst(request: DeployRequest, world: World, report: Report): Outcome {
  const { app, traffic, image } = request;
  world.log.info(`Would make /var/lib/hello-devops/${app} on the host: it is the first deploy of "${app}" there.`);
  world.log.info(
    `Would pull ${traffic.proxyImage} and ${image.name}, start both, and send port ${traffic.httpPort} to the app once it is healthy.`,
  );
  return report.close({ ...base(request, world, report), status: "planned" });
}

function failureOf(cause: unknown, phase: string, log: readonly string[], more = ""): Failure {
  const gate = cause instanceof GateError ? cause.gate : phase;
  const cancelled = cause instanceof Cancelled;
  return { gate, reason: `${sentence(cause)}${more}`, log, cancelled, ...(isBug(cause) ? { cause } : {}) };
}

const isBug = (cause: unknown): boolean =>
  ![UserError, GateError, Cancelled, GuardLost].some((kind) => cause instanceof kind);
