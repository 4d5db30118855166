import { UserError } from "../../user-error";

/** How long to wait, in milliseconds, and what to say when that is over. */
export interface Limit {
  /** the time counts from when this resolves; undefined = from now */
  readonly since?: Promise<unknown>;
  readonly time: number;
  readonly why: string;
}

/** Waits for the lock, or for what comes with it: within every limit, and until the deploy is cancelled. */
export function within<T>(
  what: Promise<T>,
  limits: readonly Limit[],
  signal: AbortSignal,
  giveUp: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (error: Error) => {
      giveUp();
      reject(error);
    };
    const timers: NodeJS.Timeout[] = [];
    let over = false;
    for (const { since = Promise.resolve(), time, why } of limits)
      void since.then(() => {
        if (!over) timers.push(setTimeout(() => give(new UserError(`lock-timeout: ${why}`)), time));
      });
    const onAbort = () => give(new Error("cancelled while waiting for the lock"));
    signal.addEventListener("abort", onAbort, { once: true });
    what.then(resolve, reject).finally(() => {
      over = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    });
  });
}
