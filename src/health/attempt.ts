import { NoAnswer } from "./no-answer";

/** One try at a server, as those see it who wait within it. */
export interface Attempt {
  /** aborted when the try is over, however it ended: what it has opened is closed then */
  readonly over: AbortSignal;
  /** what it waits for now, as a sentence about a missing one names it: "connection", "TLS handshake", "answer" */
  waitingFor: string;
  /** what it waits for is not the server, so that a limit says nothing about it */
  blind: boolean;
}

/** Runs one attempt and ends it when its time is over, whatever the other side does. Only timers and sockets may hold it. */
export async function within<T>(limit: number, run: (attempt: Attempt) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const attempt: Attempt = { over: over.signal, waitingFor: "connection", blind: false };
  const timer = setTimeout(() => {
    const { waitingFor, blind } = attempt;
    over.abort(new NoAnswer(`no ${waitingFor} within ${limit / 1000} s`, "timeout", { blind }));
  }, limit);
  try {
    return await unlessAborted(run(attempt), over.signal);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** Hears an abort at once, also while what is awaited hangs. */
export function unlessAborted<T>(what: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    what.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

interface Closable {
  destroy(): void;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Closes it when the attempt is over; an error that comes after that has nobody left to hear it. */
export function closesWith<T extends Closable>(attempt: Attempt, stream: T): T {
  stream.on("error", () => {});
  if (attempt.over.aborted) stream.destroy();
  else attempt.over.addEventListener("abort", () => stream.destroy(), { once: true });
  return stream;
}
