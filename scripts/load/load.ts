import type { Clock } from "../../src/health/gate";
import type { Ask } from "./mix";

export interface Answer {
  readonly ask: Ask;
  /** the status, or why there was none */
  readonly outcome: string;
  readonly ms: number;
}

export interface Plan {
  readonly rate: number;
  readonly count: number;
  readonly ask: (n: number) => Ask;
}

export interface With {
  readonly clock: Clock;
  /** resolves to the answer's status, or why there was none */
  readonly send: (ask: Ask) => Promise<string>;
  /** ends the load early; what is under way is waited for */
  readonly signal: AbortSignal;
}

export interface Done {
  readonly answers: readonly Answer[];
  /** left out, because too many were under way */
  readonly leftOut: number;
  readonly ms: number;
}

/** An app that does not answer is not asked more and more. */
export const mostUnderWay = 100;

/** Sends at a steady pace, however late the answers are: as people do, who don't wait for each other. */
export async function load({ rate, count, ask }: Plan, { clock, send, signal }: With): Promise<Done> {
  const from = clock.now();
  const answers: Answer[] = [];
  const underWay = new Set<Promise<void>>();
  let leftOut = 0;

  async function sendOne(one: Ask): Promise<void> {
    const sent = clock.now();
    const outcome = await send(one);
    answers.push({ ask: one, outcome, ms: clock.now() - sent });
  }

  for (let n = 0; n < count; n += 1) {
    const wait = Math.max(0, from + (n * 1000) / rate - clock.now());
    await clock.sleep(wait, signal).catch(() => {});
    if (signal.aborted) break;
    if (underWay.size >= mostUnderWay) {
      leftOut += 1;
      continue;
    }
    const one: Promise<void> = sendOne(ask(n)).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
  return { answers, leftOut, ms: clock.now() - from };
}
