import type { Slot } from "../host/proxy/config";
import { UserError } from "../user-error";
import type { ReleaseName } from "./outcome";
import type { Run } from "./request";
import type { RecordedTerms } from "./terms";

export const FORMAT = 1;

/** releases/ID/release.json on a host: all that is needed to know a release again. It holds no secret in clear. */
export interface ReleaseRecord {
  readonly format: typeof FORMAT;
  readonly release: string;
  readonly version: string;
  readonly image: string;
  readonly digest: string;
  /** its name; for one made by hand its id */
  readonly container: string;
  /** the name of a container made by hand, which is stopped and kept, and never removed */
  readonly adopted?: string;
  readonly slot: Slot;
  readonly port: number;
  /** hash of env, options and checks: tells `unchanged` */
  readonly fingerprint: string;
  /** seconds, for the guard's own stop and drain */
  readonly stopTimeout: number;
  readonly drainTimeout: number;
  /** the change that made it the committed one, or tried to */
  readonly transaction: string;
  /** ISO 8601, UTC */
  readonly createdAt: string;
  /** of that change */
  readonly run: Run;
  /** the release that it took the place of when it was deployed: the way that a rollback goes; absent = it is not known */
  readonly previous?: string;
  /** how it is served and checked, for whoever brings it back; absent = it is not known */
  readonly terms?: RecordedTerms;
}

export const nameOf = ({ release, version, digest }: ReleaseRecord): ReleaseName => ({ release, version, digest });

/** What people call it: for a container made by hand, its name. */
export const called = (record: ReleaseRecord | undefined): string | undefined => record?.adopted ?? record?.release;

/** @throws {UserError} when a newer hello-devops wrote it, or it is damaged. */
export function parseReleases(json: string): readonly ReleaseRecord[] {
  let records: { format?: unknown; release?: unknown }[];
  try {
    records = JSON.parse(json);
  } catch (cause) {
    throw new UserError(
      "A release.json on the host is damaged. Look at /var/lib/hello-devops/APP/releases on it; nothing was changed.",
      { cause },
    );
  }
  for (const record of records) {
    if (typeof record.format !== "number" || record.format > FORMAT) {
      throw new UserError(
        `The host's release ${String(record.release)} was written by a newer hello-devops (format ${String(record.format)}). Use that version or a later one; nothing was changed.`,
      );
    }
  }
  return records as unknown as ReleaseRecord[];
}
