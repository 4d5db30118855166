import type { Clock } from "../health/gate";
import type { CheckOutcome, VerifyOutcome } from "../health/outcome";
import type { Log } from "./log";
import type { Evidence, Outcome, PhaseTime } from "./outcome";

/** Collects what a deploy did, phase by phase, for the summary. */
export class Report {
  readonly phases: PhaseTime[] = [];
  readonly warnings: string[] = [];
  /** what gates saw that judge all hosts together */
  readonly evidence: Evidence[] = [];
  readonly startedAt = new Date().toISOString();
  verification: VerifyOutcome | undefined;
  /** the phase that runs, or ran last */
  phaseNow = "connect";
  readonly #startedAt: number;

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly stop: AbortSignal,
  ) {
    this.#startedAt = clock.now();
  }

  async phase<T>(name: string, body: () => Promise<T>): Promise<T> {
    this.phaseNow = name;
    const startedAt = new Date().toISOString();
    const start = this.clock.now();
    const add = (result: PhaseTime["result"]) =>
      this.phases.push({ name, startedAt, duration: this.clock.now() - start, result });
    try {
      const value = await this.log.phase(name, body);
      add("done");
      return value;
    } catch (error) {
      add("failed");
      throw error;
    }
  }

  /** A phase that changes nothing on the host, and may be left at once when the deploy is to stop. */
  stoppable<T>(name: string, body: () => Promise<T>): Promise<T> {
    return this.phase(name, () => {
      this.stop.throwIfAborted();
      return new Promise<T>((resolve, reject) => {
        this.stop.addEventListener("abort", () => reject(this.stop.reason), { once: true });
        body().then(resolve, reject);
      });
    });
  }

  warn(line: string): void {
    this.warnings.push(line);
    this.log.warning(line);
  }

  close(
    end: Omit<Outcome, "phases" | "evidence" | "warnings" | "verification" | "startedAt" | "duration">,
    evidence: readonly Evidence[],
  ): Outcome {
    return {
      ...end,
      phases: this.phases,
      evidence: [...this.evidence, ...evidence, ...(this.verification?.checks ?? []).map(evidenceOf)],
      warnings: this.warnings,
      verification: this.verification,
      startedAt: this.startedAt,
      duration: this.clock.now() - this.#startedAt,
    };
  }
}

const evidenceOf = ({ name, status, attempts, expected, lastSeen }: CheckOutcome): Evidence => ({
  gate: `verify-url ${name}`,
  verdict: status,
  probes: attempts,
  expected,
  lastSeen,
});
