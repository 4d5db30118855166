import { NoAnswer } from "./no-answer";

/** One try at a server, as those see it who wait within it. */
export interface Attempt {
  /** closes it when the try is over, however it ended; what was opened last is closed first */
  closes<T extends Closable>(stream: T): T;
  /** what it waits for now, as a sentence about a missing one names it: "connection", "TLS handshake", "answer" */
  waitingFor: string;
  /** what it waits for is not the server, so that a limit says nothing about it */
  blind: boolean;
  /** what was found on the way: evidence when there is no answer in the end */
  readonly found: Found;
}

export interface Found {
  /** what it is counted under if the limit ends it; left out = "timeout" */
  kind?: string;
  body?: string;
  version?: string | undefined;
  /** the earliest end of the certificates so far */
  certificateExpires?: Date | undefined;
}

interface Closable {
  destroy(): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Runs one attempt and ends it when its time is over, whatever the other side does. */
export async function within<T>(limit: number, run: (attempt: Attempt) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const opened: Closable[] = [];
  const attempt: Attempt = {
    waitingFor: "connection",
    blind: false,
    found: {},
    closes(stream) {
      stream.on("error", () => {}); // one that comes when the attempt is over has nobody left to hear it
      if (over.signal.aborted) stream.destroy();
      else opened.push(stream);
      return stream;
    },
  };
  const timer = setTimeout(() => {
    const { waitingFor, blind, found } = attempt;
    const kind = found.kind ?? "timeout";
    over.abort(new NoAnswer(`no ${waitingFor} within ${limit / 1000} s`, kind, { blind, late: true }));
  }, limit);
  try {
    return await unlessAborted(run(attempt), over.signal);
  } finally {
    clearTimeout(timer);
    over.abort();
    // Node 20 crashes when the socket below TLS is destroyed before what is on top of it
    for (const stream of opened.reverse()) stream.destroy();
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
