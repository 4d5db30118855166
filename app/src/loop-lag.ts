export interface LoopLag {
  /** How late the event loop is, in milliseconds. */
  ms(): number;
  stop(): void;
}

/** A timer that should fire every `everyMs`: how late it last was, or already is, is how long a request waits. */
export function watchLoopLag(everyMs = 500, now: () => number = () => performance.now()): LoopLag {
  let last = 0;
  let due = now() + everyMs;
  const timer = setInterval(() => {
    last = Math.max(0, now() - due);
    due = now() + everyMs;
  }, everyMs).unref();
  return {
    ms: () => Math.round(Math.max(last, now() - due)),
    stop: () => clearInterval(timer),
  };
}
