/** What a deploy tells while it runs. One line an event; the edge decides how it looks in a job log. */
export interface Log {
  /** a line that a person should read */
  info(line: string): void;
  /** a line for ACTIONS_STEP_DEBUG: each call with its time */
  debug(line: string): void;
  warning(line: string): void;
  /** text that a host or a container wrote: hostile until neutralised */
  quote(text: string): void;
  /** opens a phase: its lines are folded together, its duration is told at the end */
  phase<T>(name: string, body: () => Promise<T>): Promise<T>;
}

/** A log in which each line says whose it is. */
export const named = (log: Log, name: string): Log => ({
  info: (line) => log.info(`${name}: ${line}`),
  debug: (line) => log.debug(`${name}: ${line}`),
  warning: (line) => log.warning(`${name}: ${line}`),
  quote: (text) => {
    log.info(`${name}:`);
    log.quote(text);
  },
  phase: (title, body) => log.phase(title, body),
});
