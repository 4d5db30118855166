import { FolderAbsent } from "../host/guard/failures";
import { UserError } from "../user-error";
import { alone, takeLock } from "./lock";
import type { Log } from "./log";
import { isNone } from "./naming";
import type { ReleaseName } from "./outcome";
import { parseReleases } from "./record";
import type { ChangeRequest } from "./request";
import { lockRequest, type Target, type World } from "./world";

/** What the host says that it runs. */
export interface Truth {
  /** the committed release's id; '' = none */
  readonly release: string;
  readonly serving: ReleaseName | undefined;
  /** the deploy that made it */
  readonly transaction?: string | undefined;
}

const REACH_AGAIN = 120_000; // a host that reboots is back within this, as a rule
const PAUSE = 2_000;

/**
 * Connects anew and takes the lock, which makes a new guard replay whatever a dead one left; then asks what is committed.
 * Nothing but the host is believed. undefined = it could not be reached in time.
 */
export async function askWhatServes(
  request: ChangeRequest,
  world: World,
  target: Target,
  log: Log,
): Promise<Truth | undefined> {
  const { clock, cancel } = world;
  const deadline = clock.now() + REACH_AGAIN;
  while (clock.now() < deadline && !cancel.aborted) {
    try {
      return await ask(request, world, target, log);
    } catch (error) {
      if (error instanceof FolderAbsent) return { release: "", serving: undefined };
      log.info(`Not yet: ${(error as Error).message}`);
      if (error instanceof UserError && /host key|ssh-known-hosts/.test(error.message)) return undefined;
    }
    await clock.sleep(PAUSE, cancel).catch(() => {});
  }
  return undefined;
}

async function ask(request: ChangeRequest, world: World, target: Target, log: Log): Promise<Truth> {
  const host = await target.open();
  try {
    const lock = { ...lockRequest(request, world), mode: "deploy" as const };
    const { guard, found } = await takeLock(host, lock, log, world.clock, world.cancel, alone("settle"));
    const records = parseReleases(await guard.read("releases"));
    await guard.bye();
    const record = records.find(({ release }) => release === found.current);
    return { release: isNone(found.current) ? "" : found.current, serving: record, transaction: record?.transaction };
  } finally {
    host.close();
  }
}
