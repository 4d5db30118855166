export type State = "starting" | "ready" | "overloaded" | "stopping";

export interface HealthReport {
  status: State;
  checks: {
    started: { ok: boolean };
    accepting: { ok: boolean };
    eventLoop: { ok: boolean; lagMs: number; maxLagMs: number };
  };
}

/** Whether this process should get traffic, and why not. */
export class Health {
  #started = false;
  #stopping = false;
  readonly #lagMs: () => number;
  readonly #maxLagMs: number;

  constructor(lagMs: () => number, maxLagMs: number) {
    this.#lagMs = lagMs;
    this.#maxLagMs = maxLagMs;
  }

  started(): void {
    this.#started = true;
  }

  stopping(): void {
    this.#stopping = true;
  }

  report(): HealthReport {
    const lagMs = this.#lagMs();
    const checks = {
      started: { ok: this.#started },
      accepting: { ok: !this.#stopping },
      eventLoop: { ok: lagMs <= this.#maxLagMs, lagMs, maxLagMs: this.#maxLagMs },
    };
    return { status: stateOf(checks), checks };
  }
}

function stateOf({ started, accepting, eventLoop }: HealthReport["checks"]): State {
  if (!accepting.ok) return "stopping";
  if (!started.ok) return "starting";
  return eventLoop.ok ? "ready" : "overloaded";
}
