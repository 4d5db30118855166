/** A gate said no: the candidate is not fit, and the host goes back. The message is the whole sentence for a person. */
export class GateError extends Error {
  override readonly name = "GateError";
  constructor(
    readonly gate: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The job was cancelled. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
  constructor(readonly by: string) {
    super(`the job was cancelled (${by})`);
  }
}

/** What was thrown, as one sentence for a person. */
export function sentence(cause: unknown): string {
  const message = (cause as Error).message ?? String(cause);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** Why a change was taken back, in a few words of our own: nothing in them comes from a host, a container or an input. */
export function briefly(cause: unknown): string {
  if (cause instanceof GateError) return `stopped at ${cause.gate}`;
  return cause instanceof Cancelled ? "the job was cancelled" : "it failed; the log of its run says why";
}
