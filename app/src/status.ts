import type { About } from "./about";
import type { Health, State } from "./health";
import type { Traffic } from "./traffic";

/** What the page shows, and asks for again every two seconds. */
export interface Status {
  version: string;
  commit: string;
  host: string;
  startedAt: string;
  uptimeSeconds: number;
  state: State;
  served: number;
  inFlight: number;
}

export function statusOf(about: About, health: Health, { served, inFlight }: Traffic): Status {
  return {
    version: about.version,
    commit: about.commit,
    host: about.host,
    startedAt: about.startedAt.toISOString(),
    uptimeSeconds: Math.floor((Date.now() - about.startedAt.getTime()) / 1000),
    state: health.report().status,
    served,
    inFlight,
  };
}
