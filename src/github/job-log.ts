import type { Log } from "../release/log";
import { safeLines, safeText } from "./hostile-text";
import type { Mask } from "./mask";
import { durationText } from "./time-text";

/** What of @actions/core a log needs. */
export interface JobWriter {
  startGroup(name: string): void;
  endGroup(): void;
  info(line: string): void;
  debug(line: string): void;
  warning(line: string): void;
}

export interface LogClock {
  /** milliseconds of a clock that nobody sets */
  now(): number;
  date(): Date;
}

const realClock: LogClock = { now: () => performance.now(), date: () => new Date() };
// GitHub keeps 10 warnings of a step; the last is left for the edge
const mostAnnotations = 9;

/** The log of a deploy as a job shows it: a fold for each phase, and nothing in it that the runner would obey. */
export class JobLog implements Log {
  #open = 0;
  #warnings = 0;

  constructor(
    private readonly writer: JobWriter,
    private readonly mask: Mask,
    private readonly clock: LogClock = realClock,
  ) {}

  info(line: string): void {
    this.writer.info(this.#safe(line));
  }

  debug(line: string): void {
    this.writer.debug(`${this.clock.date().toISOString()} ${this.#safe(line)}`);
  }

  warning(line: string): void {
    this.#warnings += 1;
    if (this.#warnings <= mostAnnotations) this.writer.warning(this.#safe(line));
    else this.writer.info(`Warning: ${this.#safe(line)}`);
  }

  quote(text: string): void {
    for (const line of safeLines(this.mask(text))) this.writer.info(`| ${line}`);
  }

  /** Folds don't nest in a job log: a phase inside another, or beside it, has only its last line. */
  async phase<T>(name: string, body: () => Promise<T>): Promise<T> {
    const began = this.clock.now();
    const title = this.#safe(name);
    const folds = this.#open === 0;
    this.#open += 1;
    if (folds) this.writer.startGroup(title);
    let end = "failed after";
    try {
      const result = await body();
      end = "done in";
      return result;
    } finally {
      this.#open -= 1;
      if (folds) this.writer.endGroup();
      this.writer.info(`${title} ${end} ${durationText(this.clock.now() - began)}`);
    }
  }

  #safe(line: string): string {
    return safeText(this.mask(line));
  }
}
