import type { Attempt } from "./attempt";
import type { Observation } from "./gate";

/** An observation, with what evidence needs of it. */
export interface Sight extends Observation {
  /** what it is counted under: "200", "200 wrong body", "ECONNREFUSED" */
  readonly kind: string;
  readonly body: string;
  /** the release that the answer named */
  readonly version: string | undefined;
  /** the earliest end of the certificates on the way */
  readonly certificateExpires: Date | undefined;
}

/** One look at a server. It may throw, and hang: whoever calls it sets it a limit. */
export type Look = (attempt: Attempt) => Promise<Omit<Sight, "milliseconds">>;

/** What looks need of the world. */
export interface Surroundings {
  /** monotonic milliseconds */
  readonly now: () => number;
  /** milliseconds since 1970, for certificates */
  readonly date: () => number;
  /** the proxy for a URL; undefined = none */
  readonly proxyOf: (url: URL) => URL | undefined;
}

export const BODY_LIMIT = 1024 * 1024;
