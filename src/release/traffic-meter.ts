import type { Counters, Readings } from "../health/traffic-counters";
import type { Slot } from "../host/proxy/config";
import { forgotten } from "./traffic";
import type { Transaction } from "./transaction";

/** Milliseconds from one reading to the next. */
export const READING_INTERVAL = 500;

/** Both releases of one host, at one moment. */
export interface Reading {
  readonly candidate: Counters;
  readonly live: Counters;
  /** the proxy no longer knows the candidate */
  readonly forgotten: boolean;
}

/**
 * Reads what a host's proxy has counted for both releases. From its making on it reads by itself, beside the deploy, what
 * the live release serves alone.
 */
export class TrafficMeter {
  readonly #alone: { readonly at: number; readonly live: Counters }[] = [];
  readonly #moves = new AbortController();

  /** @param past milliseconds: older readings of the live release alone don't count */
  constructor(
    private readonly tx: Transaction,
    private readonly live: Slot,
    private readonly past: number,
  ) {
    void this.#readOn();
  }

  /** The traffic moves: no more of these. @returns what the live release was counted alone, the last `past` of it */
  before(): Readings {
    this.#moves.abort();
    return this.#alone.map(({ live }) => live);
  }

  /** @throws when the proxy does not answer */
  async read(): Promise<Reading> {
    const { host, request, candidate } = this.tx;
    const slots = await host.proxy(request.app).counters();
    const ours = slots[candidate.slot];
    return { candidate: ours, live: slots[this.live], forgotten: ours.maint };
  }

  /** Its host stops the deploy: the proxy knows the candidate no more. @returns why */
  lost(): Error {
    const why = forgotten(this.tx, "it holds the slot in maintenance");
    this.tx.stop.abort(why);
    return why;
  }

  async #readOn(): Promise<void> {
    const over = AbortSignal.any([this.tx.stop.signal, this.#moves.signal]);
    while (!over.aborted) {
      const reading = await this.read().catch(() => undefined); // it is being reloaded, for instance: the next one counts
      if (reading && !over.aborted) this.#keep(reading.live);
      await this.tx.clock.sleep(READING_INTERVAL, over).catch(() => {}); // the loop sees why
    }
  }

  #keep(live: Counters): void {
    const at = this.tx.clock.now();
    const last = this.#alone.at(-1);
    if (last && live.requests < last.live.requests) this.#alone.length = 0; // reloaded: it counts from 0 again
    this.#alone.push({ at, live });
    while ((this.#alone[0]?.at ?? at) < at - this.past) this.#alone.shift();
  }
}
