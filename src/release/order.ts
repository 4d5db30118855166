import type { Found } from "../host/guard/guard";
import { UserError } from "../user-error";
import { type HistoryLine, lastCommitted } from "./history";
import { isNone } from "./naming";
import type { ReleaseRecord } from "./record";
import type { Run } from "./request";

/** @throws {UserError} when the host's own record of what is committed is gone */
export function committedRecord(
  app: string,
  releases: readonly ReleaseRecord[],
  found: Found,
): ReleaseRecord | undefined {
  const current = releases.find(({ release }) => release === found.current);
  if (current || isNone(found.current)) return current;
  throw new UserError(
    `The host says that "${found.current}" is committed, but its release.json is missing. Look at /var/lib/hello-devops/${app}.`,
  );
}

/**
 * A run that waited (for an approval, for a runner) must not undo what a newer one has done since. A failed change does
 * not count, a rollback does.
 *
 * @param remedy what a person can do, as sentences
 * @throws {UserError} when this run is older than the last committed change
 */
export function refuseOlderRun(
  run: Run,
  history: readonly HistoryLine[],
  current: ReleaseRecord | undefined,
  remedy: string,
): void {
  const last = lastCommitted(history) ?? current;
  if (last?.run.id === undefined || run.id === undefined) return;
  if (run.id > last.run.id || (run.id === last.run.id && run.attempt >= last.run.attempt)) return;
  throw new UserError(
    `Run ${run.id} (attempt ${run.attempt}) is older than run ${last.run.id} (attempt ${last.run.attempt}), which put ${last.release} on the host. ${remedy}`,
  );
}
