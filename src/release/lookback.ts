import type Docker from "dockerode";
import { EAGER_INTERVAL } from "../health/gate";
import { appNetwork, inspected, LABEL, proxyContainer } from "../host/containers";
import { UserError } from "../user-error";
import { memoryLacking, memoryUsed } from "./capacity";
import { type Member, of } from "./fleet";
import { lastCommitted, parseHistory } from "./history";
import { broughtBack, choose } from "./lineage";
import type { Past } from "./listing";
import { isNone } from "./naming";
import { committedRecord, refuseOlderRun } from "./order";
import { networkIsThere } from "./preflight";
import { called, parseReleases, type ReleaseRecord } from "./record";
import type { RollbackRequest, Terms } from "./request";
import { termsOf } from "./terms";

/** Asks a host what it has been running, and what of that is there still. @throws {UserError} when it is nothing */
export async function lookBack(request: RollbackRequest, member: Member): Promise<void> {
  const { app } = request;
  if (!member.guard) throw new UserError(`There is no app "${app}" on this host (app): nothing to go back to.`);
  const { docker } = of(member, "host");
  const { guard } = member;
  const { current: id } = of(member, "found");
  const [releases, history, containers, proxy, liveConfig, network, memory] = await Promise.all([
    guard.read("releases").then(parseReleases),
    guard.read("read", "history").then(parseHistory),
    docker.listContainers({ all: true, filters: { label: [`${LABEL.app}=${app}`, `${LABEL.role}=app`] } }),
    inspected(docker, proxyContainer(app)),
    isNone(id) ? "" : guard.read("read", `releases/${id}/haproxy.cfg`),
    networkIsThere(docker, appNetwork(app)),
    memoryUsed(of(member, "host"), `${app}-${id}`),
    of(member, "host").connection.requireForwarding(),
  ]);
  const current = committedRecord(app, releases, of(member, "found"));
  if (!current) throw new UserError(`No release of "${app}" is committed on this host: nothing to go back to.`);
  member.current = current;
  member.httpPort = portOf(proxy) ?? current.terms?.traffic.httpPort;
  const keys = new Map(containers.map(({ Names, Labels }) => [Names[0]?.slice(1), Labels?.[LABEL.sealKey] ?? ""]));
  const isThere = ({ container, adopted }: ReleaseRecord) => adopted !== undefined || keys.has(container);
  const keyOf = ({ container }: ReleaseRecord) => keys.get(container) ?? "";
  member.past = { current, releases, isThere, keyOf, history, proxy, liveConfig, network, memory };
}

const portOf = (proxy: Docker.ContainerInspectInfo | undefined): number | undefined => {
  const [published] = (proxy?.HostConfig.PortBindings?.["80/tcp"] ?? []) as { HostPort?: string }[];
  return published?.HostPort ? Number(published.HostPort) : undefined;
};

const AGAIN =
  "A rollback from it would take back what came since. Start it as a new run (not by re-running an old one).";

/**
 * Chooses what comes back to this host, and how it is to be served and checked.
 *
 * @param since when this rollback began, ISO 8601
 * @throws {UserError}
 */
export function sceneOf(request: RollbackRequest, member: Member, since: string): void {
  const past = of(member, "past");
  const { current, releases, history, proxy, liveConfig, network } = past;
  refuseOlderRun(request.run, history, current, AGAIN);
  const kept = done(request, past) ? current : choose(request.to, past);
  if (member.waited) refuseSurprise(request, past, since);
  refuseByHand(kept);
  member.terms = termsFor(request, kept, past);
  const warnings: string[] = [];
  if (kept !== current) {
    const { traffic, container } = member.terms;
    const free = of(member, "guard").facts.memoryFree;
    // what leaks memory is a reason to go back: the candidate's own end by it is noticed, and taken back
    const lacking = memoryLacking(traffic.strategy, container.memory, free, past.memory);
    if (lacking) warnings.push(lacking);
    tellWay(request, member, kept);
  }
  const { image: name, digest, release: id, fingerprint } = kept;
  member.scene = {
    ...{ releases, current, previous: current, history, liveConfig, network, proxy, handover: undefined },
    ...{ image: { name, digest }, reference: `${name}@${digest}`, imagePresent: true },
    ...{ id, fingerprint, kept, warnings },
  };
}

const isRelative = ({ to }: RollbackRequest): boolean => /^(-\d+)?$/.test(to);

/** A job that is run again, since something behind the rollback failed, must not go one release further back. */
function done(request: RollbackRequest, { current, history }: Past): boolean {
  const { run } = request;
  const last = broughtBack(current, history)?.run;
  return isRelative(request) && last?.id !== undefined && last.id === run.id && last.attempt < run.attempt;
}

/** "The one before" is what a person saw: not what is before a release that came while this run waited for the lock. */
function refuseSurprise(request: RollbackRequest, { history }: Past, since: string): void {
  const last = lastCommitted(history);
  if (!last || last.at < since || !isRelative(request)) return;
  throw new UserError(
    `While this run waited for the lock, ${last.run.url || "another one"} put ${last.release} on the host (${last.result}). What is before that is perhaps not what was meant: name the release to go back to (to), or start the rollback anew.`,
  );
}

/** The proxy stays as it is; all else is what the release was deployed with, and what this rollback says. */
function termsFor(request: RollbackRequest, kept: ReleaseRecord, { current, proxy, keyOf }: Past): Terms {
  const { terms: recorded, version, release, image, digest } = kept;
  if (!recorded)
    throw new UserError(
      `${release} was deployed by a hello-devops that did not record how a release is checked. Deploy it instead: image: ${image}, digest: ${digest}, version: ${version}, allow-older: true.`,
    );
  const terms = termsOf(version, recorded, keyOf(kept), request.health);
  const live = current.terms?.traffic ?? recorded.traffic;
  const traffic = {
    ...terms.traffic,
    httpPort: portOf(proxy) ?? live.httpPort,
    proxyImage: proxy?.Config.Image ?? live.proxyImage,
  };
  const { threshold, startTimeout } = terms.health;
  if (EAGER_INTERVAL * (threshold - 1) >= startTimeout)
    throw new UserError(
      `start-timeout: ${threshold} checks (health-threshold) take longer than ${startTimeout / 1000} s; lengthen it.`,
    );
  return { ...terms, traffic, bakeTime: request.bakeTime ?? terms.bakeTime };
}

function refuseByHand(kept: ReleaseRecord): void {
  if (kept.adopted === undefined) return;
  throw new UserError(
    `The release before was the container "${kept.adopted}", which was made by hand: it is not in the app's network, and a rollback can't start it behind the proxy. ` +
      `Deploy its image instead: image: ${kept.image}${kept.digest.startsWith("sha256:") ? `, digest: ${kept.digest}` : ""}.`,
  );
}

/** Says which way it goes: a person may not know that somebody has gone back before. */
function tellWay({ to }: RollbackRequest, member: Member, kept: ReleaseRecord): void {
  const { current, history } = of(member, "past");
  const before = to === "" ? broughtBack(current, history) : undefined;
  if (before)
    member.log.info(
      `${current.release} was itself brought back by a rollback (${before.at}, by ${before.run.actor || "unknown"}${before.run.url ? `, ${before.run.url}` : ""}). This one goes one release further back, to ${kept.release}.`,
    );
  else member.log.info(`From ${called(current)} back to ${kept.release} (${kept.version}).`);
}
