import { UserError } from "../user-error";
import { named } from "./log";
import type { Outcome } from "./outcome";
import type { ChangeRequest } from "./request";
import { askWhatServes, type Truth } from "./truth";
import type { Target, World } from "./world";

/**
 * What is done after a change that did not get to its end: each host is asked what it runs, and nothing but the host is
 * believed. A runner that died between the commits of two hosts has left them apart: all of them had passed every gate,
 * so the others are brought to what was committed, by a change like any other.
 *
 * @param main the transaction of the change that did not end
 * @param again brings all hosts to this release
 */
export async function mend(
  request: ChangeRequest,
  world: World,
  main: string,
  again: (release: string) => Promise<Outcome>,
): Promise<void> {
  const { hosts, log } = world;
  log.info(`This run did not get to its end. Asking ${hosts.map(({ name }) => name).join(", ")} what it runs ...`);
  const truths = await Promise.all(
    hosts.map((target) => askWhatServes(request, world, target, hosts.length > 1 ? named(log, target.name) : log)),
  );
  hosts.forEach((target, n) => {
    tell(request, world, target, truths[n]);
  });
  const ended = truths.map((truth) => truth?.transaction === main);
  if (ended.every(Boolean) || !ended.some(Boolean)) return;
  log.info("The runner died between two commits. The hosts that are behind are brought to the committed release.");
  const why = await failureOf(again(truths.find((truth) => truth?.transaction === main)?.release ?? ""));
  if (why) log.warning(`The hosts are on different releases: ${why}`);
  else log.info("All hosts are on one release.");
}

/** A failure's reason; undefined = there was none. What the change needs may not be had any more: that is one, too. */
async function failureOf(changing: Promise<Outcome>): Promise<string | undefined> {
  try {
    return (await changing).failure?.reason;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function tell(request: ChangeRequest, { log }: World, { name }: Target, truth: Truth | undefined): void {
  if (!truth) log.warning(`${name} was not reached. Its guard settles by itself once its lease has run out.`);
  else if (truth.serving)
    log.info(`${name} runs ${truth.serving.release} (${truth.serving.digest}) of "${request.app}".`);
  else log.info(`${name} runs no release of "${request.app}".`);
}
