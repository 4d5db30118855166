import type { Ask } from "./mix";

const patienceMs = 15_000; // longer than the slowest answer of the app

/** Resolves to the answer's status, or to why there was none. */
export const sender =
  (url: URL) =>
  async ({ method, path }: Ask): Promise<string> => {
    try {
      const answer = await fetch(new URL(path, url), {
        method,
        redirect: "manual",
        signal: AbortSignal.timeout(patienceMs),
      });
      await answer.arrayBuffer(); // answered when the last byte is here; and its connection is free again
      return String(answer.status);
    } catch (error) {
      return whyNone(error as Error & { cause?: { code?: string } });
    }
  };

/** Such as ECONNREFUSED: fetch itself says only "fetch failed". */
function whyNone({ name, message, cause }: Error & { cause?: { code?: string } }): string {
  return name === "TimeoutError" ? `no answer in ${patienceMs / 1000} s` : (cause?.code ?? message);
}
