import { lastLogLines } from "../host/containers";
import { GuardLost } from "../host/guard/failures";
import { briefly, Cancelled, sentence } from "./failure";
import { type Fleet, type Member, of } from "./fleet";
import { called, nameOf } from "./record";
import { servesAgain } from "./recreate";
import { historyEntry, type Transaction } from "./transaction";
import { askWhatServes, type Truth } from "./truth";
import type { World } from "./world";

/** What came of a deploy that was taken back: what each host says, and what the failed candidate had to say. */
export interface TakenBack {
  /** what stopped it, in truth */
  readonly cause: unknown;
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
  thrown: unknown,
): Promise<TakenBack> {
  const failed = fleet.failedOn ?? members[0];
  const asks = failed?.tx?.candidate.created && !(thrown instanceof GuardLost);
  const [cause, lines] = await Promise.all([
    trueCause(failed, thrown),
    asks ? lastWords(failed.tx as Transaction) : [],
  ]);
  const where = fleet.several && fleet.failedOn ? `${fleet.failedOn.name}: ` : "";
  world.log.info(`${where}${sentence(cause)} ${goingBack(members)}`);
  const truths = await Promise.all(
    members.map(async (member) => [member, await abortOrAsk(member, world, cause)] as const),
  );
  return { cause, truths: new Map(truths), lines };
}

const PING_TIMEOUT = 3_000;

/** Without dockerd much fails: a deed, and the bake, whose way through the loopback is dockerd's. The candidate is not to blame. */
async function trueCause(failed: Member | undefined, thrown: unknown): Promise<unknown> {
  if (thrown instanceof GuardLost || thrown instanceof Cancelled || !failed?.host) return thrown;
  try {
    await inTime(failed.host.docker.ping());
    return thrown;
  } catch {
    return new Error("the host's Docker no longer answers", { cause: thrown });
  }
}

function inTime<T>(what: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), PING_TIMEOUT);
  });
  return Promise.race([what, late]).finally(() => clearTimeout(timer));
}

function goingBack(members: readonly Member[]): string {
  const [only, ...others] = members;
  if (others.length > 0) return `All ${members.length} hosts go back.`;
  return `The host goes back to ${called(only?.current) ?? "what it was"}.`;
}

/** undefined = nobody could say; the guard on the host does it by itself */
async function abortOrAsk(member: Member, world: World, cause: unknown): Promise<Truth | undefined> {
  const tx = of(member, "tx");
  try {
    return await abort(member, tx, cause);
  } catch (error) {
    if (!(error instanceof GuardLost)) throw error;
    if (error !== cause) member.log.info(error.message);
  }
  tx.host.drop();
  if (cause instanceof Cancelled) return undefined; // seconds are left: post asks
  const truth = await askWhatServes(tx.request, world, member.target, member.log);
  return truth && !truth.release && member.current ? { ...truth, serving: nameOf(member.current) } : truth;
}

async function abort(member: Member, tx: Transaction, cause: unknown): Promise<Truth | undefined> {
  const { host, guard, candidate, scene } = tx;
  host.engine.close(); // nothing of ours may be under way while the guard undoes
  guard.undo("tried", historyEntry(tx, "failed", briefly(cause))).catch(() => {}); // a full disk is in nobody's way
  const { committed, stuck } = await guard.abort();
  if (stuck) {
    member.log.warning(`The host could not do "${stuck}". Its guard tries again at the next deploy.`);
    return undefined;
  }
  if (committed) return { release: candidate.id, serving: undefined };
  const { current, previous } = scene;
  const serves = called(previous);
  servesAgain(tx, serves ?? "nothing");
  member.say(serves ? `${serves} serves.` : "nothing serves, as before.");
  return { release: current?.release ?? "", serving: previous && nameOf(previous) };
}

async function lastWords(tx: Transaction): Promise<readonly string[]> {
  try {
    return await inTime(lastLogLines(tx.host.docker, tx.candidate.container, tx.candidate.startedAt));
  } catch {
    return [];
  }
}
