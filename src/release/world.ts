import type { Clock } from "../health/gate";
import type { Judgement } from "../health/judgement";
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

/** Alarms of the user's own, which may stop a deploy. */
export interface Alarms {
  /**
   * As they stand: what is red already is not the deploy's doing.
   *
   * @throws {UserError} for one that there is not, and where nobody could be asked
   */
  snapshot(cancel: AbortSignal): Promise<AlarmsBefore>;
}

/** Alarms as they stood before a deploy. */
export interface AlarmsBefore {
  readonly names: readonly string[];
  /** a sentence for each that is red already */
  readonly red: readonly string[];
  /** milliseconds from a shift until a fault that came with it shows in the slowest of them; and that as a sentence, '' = none */
  readonly leastBake: { readonly span: number; readonly says: string };
  /**
   * Looks again and again, and a last time once `over` is aborted. It resolves earlier only at a new alarm, and where
   * nothing can be read.
   *
   * @throws what `cancel` was aborted with
   */
  watch(over: AbortSignal, clock: Clock, cancel: AbortSignal): Promise<Judgement & { readonly looks: number }>;
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
  /** undefined = none is watched */
  readonly alarms?: Alarms | undefined;
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
