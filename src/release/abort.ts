import { lastLogLines } from "../host/containers";
import { GuardLost } from "../host/guard/failures";
import { afterAbort, committedAfterAll, nameOf } from "./ending";
import { Cancelled, sentence } from "./failure";
import type { Outcome } from "./outcome";
import type { Report } from "./report";
import type { Transaction } from "./transaction";
import { askWhatServes, type Truth } from "./truth";
import type { World } from "./world";

/**
 * One way back, whatever the cause: the guard's journal. A living guard is told to abort; a lost one has begun already,
 * and the host is asked what came of it.
 */
export async function takeBack(tx: Transaction, world: World, report: Report, cause: unknown): Promise<Outcome> {
  const phase = report.phaseNow;
  const lines = tx.candidate.created && !(cause instanceof GuardLost) ? await lastWords(tx) : [];
  world.log.info(`${sentence(cause)} The host goes back to ${tx.scene.current?.release ?? "what it was"}.`);
  const truth = await report.phase("abort", () => abortOrAsk(tx, world, cause));
  if (truth?.release === tx.candidate.id) return committedAfterAll(tx, world, report);
  return afterAbort(tx, world, report, { cause, phase, lines, truth });
}

/** undefined = nobody could say; the guard on the host does it by itself */
async function abortOrAsk(tx: Transaction, world: World, cause: unknown): Promise<Truth | undefined> {
  if (!(cause instanceof GuardLost)) {
    try {
      return await abort(tx, world);
    } catch (error) {
      if (!(error instanceof GuardLost)) throw error;
      world.log.info(error.message);
    }
  }
  tx.host.drop();
  if (cause instanceof Cancelled) return undefined; // seconds are left: post asks
  return askWhatServes(tx.request, world);
}

async function abort(tx: Transaction, world: World): Promise<Truth | undefined> {
  tx.host.engine.close(); // nothing of ours may be under way while the guard undoes
  const { committed, stuck } = await tx.guard.abort();
  if (stuck) {
    world.log.warning(`The host could not do "${stuck}". Its guard tries again at the next deploy.`);
    return undefined;
  }
  if (committed) return { release: tx.candidate.id, serving: undefined };
  const { current } = tx.scene;
  world.log.info(`${world.hostName}: ${current ? `${current.release} serves` : "nothing serves, as before"}.`);
  return { release: current?.release ?? "", serving: current && nameOf(current) };
}

async function lastWords(tx: Transaction): Promise<readonly string[]> {
  try {
    return await lastLogLines(tx.host.docker, tx.candidate.container);
  } catch {
    return [];
  }
}
