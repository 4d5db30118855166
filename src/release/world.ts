import type { Clock } from "../health/gate";
import type { VerifyOutcome } from "../health/outcome";
import type { Host } from "../host/host";
import type { GateError } from "./failure";
import type { LockRequest } from "./lock";
import type { Log } from "./log";
import type { ChangeRequest } from "./request";

/** What AWS calls a host. */
export interface Instance {
  /** `i-...` */
  readonly id: string;
  /** its tag Name; '' = it has none */
  readonly name: string;
  /** its availability zone */
  readonly zone: string;
}

/** A host to deploy to, before anybody has connected to it. */
export interface Target {
  /** as `hosts` names it; an instance by its id */
  readonly name: string;
  readonly instance?: Instance | undefined;
  /** a name or an IP address; two hosts behind one have a name each */
  readonly address: string;
  /** opens a connection of its own at each call */
  open(): Promise<Host>;
}

/** Proof by the app's own URLs, the way its users come to it. */
export interface Verification {
  /** as a person may read them */
  readonly urls: readonly string[];
  /** @param release which must answer, and the header that names it; '' = none does */
  run(release: { readonly version: string; readonly header: string }, means: Means): Promise<VerifyOutcome>;
}

interface Means {
  readonly log: Log;
  /** aborted when nobody wants to know any more */
  readonly cancel: AbortSignal;
}

/** What a deploy needs of the world; all of it is passed in. */
export interface World {
  /** the fleet, in the order of `hosts`; one at least, but for `unreachable` */
  readonly hosts: readonly Target[];
  /** why nobody could say which hosts these are, or get in to them, or what they are to run */
  readonly unreachable?: GateError;
  readonly log: Log;
  readonly clock: Clock;
  /** names this deploy on its hosts: a-z, 0-9 and `-` */
  readonly transaction: string;
  /** texts that no log, summary or output may show from now on */
  readonly conceal: (texts: readonly string[]) => void;
  /** undefined = nobody asks the app's own URLs before the commit */
  readonly verification?: Verification | undefined;
  /** aborted when the job is cancelled; its reason is a `Cancelled` */
  readonly cancel: AbortSignal;
}

export const lockRequest = (request: ChangeRequest, world: World): LockRequest => ({
  app: request.app,
  transaction: world.transaction,
  lease: request.safety.lease,
  lockTimeout: request.safety.lockTimeout,
  holder: `run ${request.run.url || request.run.id || "unknown"} by ${request.run.actor || "unknown"} since ${new Date().toISOString()}`,
  mode: request.safety.dryRun ? "look" : "deploy",
});
