import * as core from "@actions/core";
import { Cancelled } from "../release/failure";

/** The runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that: at the second, the guard is left to it. */
export function cancelledBySignals(): AbortSignal {
  const cancel = new AbortController();
  process.on("SIGINT", () => cancel.abort(new Cancelled("SIGINT")));
  process.on("SIGTERM", () => {
    if (!cancel.signal.aborted) cancel.abort(new Cancelled("SIGTERM"));
    else {
      core.setFailed(
        "The job was cancelled before this step could say how it ended. Where it had come to a host, that settles by itself, and the post step says what it runs.",
      );
      process.exit(1);
    }
  });
  return cancel.signal;
}
