import { lastLogLines } from "../host/containers";
import { GuardLost } from "../host/guard/failures";
import { Cancelled, sentence } from "./failure";
import { type Fleet, type Member, of } from "./fleet";
import { nameOf } from "./record";
import { servesAgain } from "./recreate";
import type { Transaction } from "./transaction";
import { askWhatServes, type Truth } from "./truth";
import type { World } from "./world";

/** What came of a deploy that was taken back: what each host says, and what the failed candidate had to say. */
export interface TakenBack {
  readonly truths: ReadonlyMap<Member, Truth | undefined>;
  readonly lines: readonly string[];
}

/**
 * One way back, whatever the cause: each host's guard has its journal. A living guard is told to abort; a lost one has
 * begun already, and its host is asked what came of it.
 */
export async function takeBack(
  fleet: Fleet,
  members: readonly Member[],
  world: World,
  cause: unknown,
): Promise<TakenBack> {
  const failed = fleet.failedOn ?? members[0];
  const lines = failed?.tx?.candidate.created && !(cause instanceof GuardLost) ? await lastWords(failed.tx) : [];
  const where = fleet.several && fleet.failedOn ? `${fleet.failedOn.name}: ` : "";
  world.log.info(`${where}${sentence(cause)} ${goingBack(members)}`);
  const truths = await Promise.all(
    members.map(async (member) => [member, await abortOrAsk(member, world, cause)] as const),
  );
  return { truths: new Map(truths), lines };
}

function goingBack(members: readonly Member[]): string {
  const [only, ...others] = members;
  if (others.length > 0) return `All ${members.length} hosts go back.`;
  return `The host goes back to ${only?.current?.release ?? "what it was"}.`;
}

/** undefined = nobody could say; the guard on the host does it by itself */
async function abortOrAsk(member: Member, world: World, cause: unknown): Promise<Truth | undefined> {
  const tx = of(member, "tx");
  try {
    return await abort(member, tx);
  } catch (error) {
    if (!(error instanceof GuardLost)) throw error;
    if (error !== cause) member.log.info(error.message);
  }
  tx.host.drop();
  if (cause instanceof Cancelled) return undefined; // seconds are left: post asks
  return askWhatServes(tx.request, world, member.target, member.log);
}

async function abort(member: Member, { host, guard, candidate, scene }: Transaction): Promise<Truth | undefined> {
  host.engine.close(); // nothing of ours may be under way while the guard undoes
  const { committed, stuck } = await guard.abort();
  if (stuck) {
    member.log.warning(`The host could not do "${stuck}". Its guard tries again at the next deploy.`);
    return undefined;
  }
  if (committed) return { release: candidate.id, serving: undefined };
  const { current } = scene;
  servesAgain(of(member, "tx"), current?.release ?? "nothing");
  member.say(current ? `${current.release} serves.` : "nothing serves, as before.");
  return { release: current?.release ?? "", serving: current && nameOf(current) };
}

async function lastWords(tx: Transaction): Promise<readonly string[]> {
  try {
    return await lastLogLines(tx.host.docker, tx.candidate.container);
  } catch {
    return [];
  }
}
