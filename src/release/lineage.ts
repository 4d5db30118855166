import { UserError } from "../user-error";
import { type HistoryLine, lastCommitted } from "./history";
import { isNone } from "./naming";
import { called, type ReleaseRecord } from "./record";

/** What the release took the place of when it was deployed, what that one did, and so on, as far as they are on the host. */
export function ancestorsOf(record: ReleaseRecord, releases: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  const found: ReleaseRecord[] = [];
  let next = recordOf(record.previous, releases);
  while (next && next !== record && !found.includes(next)) {
    found.push(next);
    next = recordOf(next.previous, releases);
  }
  return found;
}

const recordOf = (release: string | undefined, releases: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  releases.find((record) => record.release === release);

/** The releases of an app on one host. */
export interface Kept {
  readonly current: ReleaseRecord;
  readonly releases: readonly ReleaseRecord[];
  /** its container is still on the host */
  readonly isThere: (record: ReleaseRecord) => boolean;
}

/**
 * The release that `to` names; what is committed itself, too.
 *
 * @param to '' = the one before; else `-2`, a digest, or the beginning of an id, a version or a digest
 * @throws {UserError} when it is none, several, or no longer there, with what there is
 */
export function choose(to: string, kept: Kept): ReleaseRecord {
  const steps = to === "" ? 1 : Number(/^-(\d+)$/.exec(to)?.[1] ?? 0);
  const found = steps > 0 ? stepsBack(steps, kept) : named(to, kept);
  if (kept.isThere(found) || found === kept.current) return found;
  throw new UserError(
    `${called(found)} can't come back: its container "${found.container}" was removed from the host. ${whatThereIs(kept)}`,
  );
}

function stepsBack(steps: number, kept: Kept): ReleaseRecord {
  const { current, releases } = kept;
  const way = [current, ...ancestorsOf(current, releases)];
  const found = way[steps];
  if (found) return found;
  const last = way.at(-1) ?? current;
  const gone = last.previous;
  if (gone === undefined)
    throw new UserError(
      `${to(steps)}what was before ${called(last)} is not recorded: an earlier hello-devops deployed it. ${whatThereIs(kept)} Name one (to).`,
    );
  if (isNone(gone))
    throw new UserError(
      `${to(steps)}there is no release before ${called(last)}: it was the first on this host. ${whatThereIs(kept)}`,
    );
  throw new UserError(
    `${to(steps)}the release before ${called(last)} was ${gone}, which is no longer on this host (keep-releases of deploy-ec2 says how many stay). ${whatThereIs(kept)}`,
  );
}

const to = (steps: number): string => (steps === 1 ? "Nothing to go back to: " : `to: -${steps} leads too far: `);

function named(text: string, kept: Kept): ReleaseRecord {
  const { releases } = kept;
  const exact = releases.filter(({ release, version, digest }) => [release, version, digest].includes(text));
  const begins = releases.filter(({ release, version, digest }) =>
    [release, version, digest].some((name) => name.startsWith(text)),
  );
  const byId = releases.find(({ release }) => release === text);
  const found = byId ? [byId] : exact.length > 0 ? exact : begins;
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  if (!only) throw new UserError(`to: no release on this host is called "${text}". ${whatThereIs(kept)}`);
  const each = found.map(({ release, createdAt }) => `${release} (deployed ${createdAt})`).join(", ");
  throw new UserError(`to: "${text}" can be several: ${each}. Name one by its id.`);
}

/** A sentence for a person who has to choose. */
function whatThereIs({ current, releases, isThere }: Kept): string {
  const all = releases
    .filter((record) => !isNone(record.release) && !record.adopted && isThere(record))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
    .map((record) => `${called(record)}${record === current ? " (serves now)" : ""}`);
  return `There are: ${all.join(", ")}.`;
}

/** The rollback that brought this release back, if that is how it came to serve. */
export function broughtBack({ release }: ReleaseRecord, history: readonly HistoryLine[]): HistoryLine | undefined {
  const last = lastCommitted(history);
  return last?.release === release && last.result === "rolled-back" ? last : undefined;
}
