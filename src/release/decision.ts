import { DeedFailed, GuardLost } from "../host/guard/failures";
import { readyToCommit } from "./commit";
import { GateError } from "./failure";
import { type Fleet, type Member, of } from "./fleet";
import { alone, takeLock } from "./lock";
import { historyEntry } from "./transaction";
import { lockRequest, type World } from "./world";

/** How the commit ended on one host. `finished`: by itself, and it can't be taken back any more. */
export type Ending = "committed" | "finished" | "back" | "unknown";

const REACH_AGAIN = 120_000;
const PAUSE = 1_000;

/**
 * The commit of all hosts, in two phases: all but the rename is done and on disk everywhere; then the rename everywhere.
 * Up to the first of these, any failure takes all back. From there on nothing but a host itself can stop it; where one
 * has gone back, the others follow it.
 *
 * @throws what stopped it before the first rename, or the `GateError` of a host that could not rename
 */
export async function commit(
  fleet: Fleet,
  members: readonly Member[],
  world: World,
): Promise<ReadonlyMap<Member, Ending>> {
  await fleet.each(members, (member) => readyToCommit(of(member, "tx")));
  const [only, ...others] = members;
  if (only && others.length === 0) {
    await fleet.each([only], commitAlone);
    return new Map([[only, "committed"]]);
  }
  await fleet.each(members, (member) => of(member, "guard").prepare());
  fleet.signal.throwIfAborted();
  const done: number[] = [];
  const decided = new AbortController();
  const ends = await Promise.all(
    members.map(async (member): Promise<[Member, Ending]> => {
      const end = await commitOne(member, world);
      done.push(world.clock.now());
      if (done.length === members.length) decided.abort();
      return [member, end === "committed" ? await stayWith(member, world, decided.signal) : end];
    }),
  );
  if (ends.every(([, end]) => end !== "back")) {
    const apart = Math.round(Math.max(...done) - Math.min(...done));
    world.log.info(`The first and the last of ${members.length} hosts committed ${apart} ms apart.`);
    return new Map(ends);
  }
  return new Map(
    await Promise.all(
      ends.map(
        async ([member, end]): Promise<[Member, Ending]> =>
          end === "committed" ? [member, await revert(member, world)] : [member, end],
      ),
    ),
  );
}

async function commitAlone(member: Member): Promise<void> {
  const { guard, candidate, scene } = of(member, "tx");
  try {
    const committing = guard.commit();
    // right behind it, for nobody else has to agree; a host that has not committed refuses
    member.finishing = guard.hold().then(() => guard.finish());
    member.finishing.catch(() => {});
    await committing;
    member.say(`${candidate.id} is committed.`);
  } catch (cause) {
    if (!(cause instanceof DeedFailed)) throw cause;
    throw refused(candidate.id, cause, scene.current?.release);
  }
}

const refused = (release: string, cause: DeedFailed, serves = "Nothing"): GateError =>
  new GateError("commit", `The host could not commit ${release}: ${cause.detail}. ${serves} still serves.`, { cause });

async function commitOne(member: Member, world: World): Promise<Ending> {
  const { guard, candidate, scene } = of(member, "tx");
  try {
    await guard.commit();
    member.say(`${candidate.id} is committed.`);
    return "committed";
  } catch (cause) {
    if (cause instanceof DeedFailed) {
      member.stop.abort(refused(candidate.id, cause, scene.current?.release));
      return goBack(member);
    }
    if (!(cause instanceof GuardLost)) throw cause;
    member.log.info(`${cause.message}. Coming back to it ...`);
    const end = await comeBack(member, world, (again) => again.commit());
    if (end === "back")
      member.stop.abort(
        new GateError("commit", `The host went back by itself before it heard of the commit: ${cause.message}.`, {
          cause,
        }),
      );
    return end;
  }
}

async function goBack(member: Member): Promise<Ending> {
  try {
    tellWhy(member, "the host could not commit it");
    const { committed, stuck } = await of(member, "tx").guard.abort();
    if (stuck) return "unknown";
    return committed ? "finished" : "back";
  } catch {
    return "unknown";
  }
}

/** For the host's history; whether it can be written is in nobody's way. */
function tellWhy(member: Member, reason: string): void {
  const tx = of(member, "tx");
  tx.guard.undo("tried", historyEntry(tx, "failed", reason)).catch(() => {});
}

/**
 * A host that has committed waits with what can't be taken back for the others. One whose guard is lost meanwhile is
 * reached again at once: alone for longer than its lease, it would go forward by itself.
 */
async function stayWith(member: Member, world: World, decided: AbortSignal): Promise<Ending> {
  const end = new Promise<undefined>((resolve) => {
    if (decided.aborted) resolve(undefined);
    decided.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  for (;;) {
    const lost = await Promise.race([end, of(member, "guard").lost]);
    if (!lost) return "committed";
    const again = await comeBack(member, world, (guard) => guard.commit());
    if (again !== "committed") return again;
  }
}

/** Another host could not commit. A guard that was lost meanwhile is asked for anew. */
async function revert(member: Member, world: World): Promise<Ending> {
  member.log.info(`Another host could not commit: ${of(member, "tx").candidate.id} is taken back here, too.`);
  try {
    tellWhy(member, "another host could not commit it");
    return (await of(member, "tx").guard.revert()) === undefined ? "back" : "unknown";
  } catch (error) {
    if (error instanceof DeedFailed) return "unknown"; // its journal can't be written: what it holds is for the next run
    if (!(error instanceof GuardLost)) throw error;
    return comeBack(member, world, undefined);
  }
}

/**
 * A new connection and a new guard of this transaction, which takes over what the lost one had prepared; then the rename
 * (`rename`), or the way back (none). A host that was left alone for longer than its lease has decided by itself.
 */
async function comeBack(
  member: Member,
  world: World,
  rename: ((guard: { commit(): Promise<void> }) => Promise<void>) | undefined,
): Promise<Ending> {
  const { clock } = world;
  const deadline = clock.now() + REACH_AGAIN;
  while (clock.now() < deadline) {
    of(member, "tx").host.drop();
    try {
      return await decideAgain(member, world, rename);
    } catch (error) {
      member.log.info(`Not yet: ${(error as Error).message}`);
    }
    await clock.sleep(PAUSE, new AbortController().signal);
  }
  return "unknown";
}

async function decideAgain(
  member: Member,
  world: World,
  rename: ((guard: { commit(): Promise<void> }) => Promise<void>) | undefined,
): Promise<Ending> {
  const tx = of(member, "tx");
  const host = await member.target.open();
  member.host = host;
  const lock = { ...lockRequest(tx.request, world), mode: "deploy" as const };
  const never = new AbortController().signal; // the decision is made: a cancel comes too late for it
  member.tx = { ...tx, host };
  const { guard, found } = await takeLock(host, lock, member.log, world.clock, never, alone("again"));
  member.guard = guard;
  member.tx = { ...tx, host, guard };
  if (found.recovered === "prepared" && rename) {
    await rename(guard);
    member.say(`${tx.candidate.id} is committed.`);
    return "committed";
  }
  if (found.recovered === "committed" && rename) return "committed";
  if (found.recovered === "prepared" || found.recovered === "committed") {
    return (await guard.revert()) === undefined ? "back" : "unknown";
  }
  return found.current === tx.candidate.id ? "finished" : "back";
}
