import type { StatusRange } from "../health/expectation";
import type { TrafficLimits } from "../health/traffic-evidence";
import type { ContainerOptions } from "../host/containers";
import type { Credentials, ImageRequest } from "../host/pull";

export type { ContainerOptions, Credentials, ImageRequest, StatusRange };

/** What any change of an app's release asks of its hosts: to bring a new one, or one that is there already. */
export interface ChangeRequest {
  readonly app: string;
  /** a check of the user's own, on the runner */
  readonly verify: { readonly command: string; readonly timeout: number } | undefined;
  /** how many hosts are moved together */
  readonly waveSize: WaveSize;
  readonly safety: LockOptions;
  readonly run: Run;
}

/** How one release runs, is served and is checked. Durations are milliseconds. */
export interface Terms {
  /** What people call the release: a commit, as a rule. It is what `X-Release` says. `[0-9A-Za-z._-]{1,64}` */
  readonly version: string;
  readonly container: Pick<ContainerOptions, "stopTimeout" | "memory">;
  readonly traffic: TrafficOptions;
  readonly health: HealthOptions;
  readonly bakeTime: number;
}

/**
 * What one deploy is asked to do. Every value is checked; durations are milliseconds, sizes bytes.
 * The words and defaults are those of actions/deploy-ec2/action.yml.
 */
export interface DeployRequest extends ChangeRequest, Terms {
  readonly image: ImageRequest;
  readonly container: ContainerOptions;
  readonly preDeploy: { readonly command: readonly string[]; readonly timeout: number } | undefined;
  /** undefined = all traffic moves at once, and is compared with nothing */
  readonly rollout: RolloutOptions | undefined;
  readonly safety: SafetyOptions;
}

/** How the traffic moves to a new release, and what the live traffic must say of it. It bounds the deploy, and is no part of the release. */
export interface RolloutOptions {
  /** per cent of the traffic, rising; the last is 100 */
  readonly steps: readonly number[];
  /** of each step but the last, which lasts as long as the bake */
  readonly stepDuration: number;
  readonly limits: TrafficLimits;
  readonly onInconclusive: "pass" | "fail";
}

/** What one rollback is asked to do, in the words of actions/rollback-ec2/action.yml. */
export interface RollbackRequest extends ChangeRequest {
  /** '' = the release before the one that serves; else `-2`, a digest, or the beginning of an id, a version or a digest */
  readonly to: string;
  /** '' = none; it is kept in the host's history */
  readonly reason: string;
  /** only tell what there is */
  readonly list: boolean;
  /** what of the release's own checks is to be another */
  readonly health: Partial<HealthOptions>;
  /** undefined = as it was deployed with */
  readonly bakeTime: number | undefined;
}

export type Strategy = "blue-green" | "recreate";

export interface TrafficOptions {
  /** `recreate`: the live release ends before the candidate begins */
  readonly strategy: Strategy;
  readonly httpPort: number;
  readonly proxyImage: string;
  readonly responseTimeout: number;
  readonly tunnelTimeout: number;
  readonly drainTimeout: number;
  /** '' = no such header */
  readonly releaseHeader: string;
}

export interface HealthOptions {
  readonly path: string;
  readonly status: readonly StatusRange[];
  readonly host: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RegExp | undefined;
  readonly interval: number;
  readonly timeout: number;
  readonly threshold: number;
  readonly startTimeout: number;
}

export type WaveSize = { readonly hosts: number } | { readonly percent: number };

export interface LockOptions {
  readonly lockTimeout: number;
  readonly lease: number;
  readonly dryRun: boolean;
}

export interface SafetyOptions extends LockOptions {
  readonly keepReleases: number;
  /** bytes */
  readonly minFreeDisk: number | "auto";
  readonly allowOlder: boolean;
  readonly force: boolean;
  readonly keepFailed: boolean;
  /** the container made by hand that holds the port; '' = none */
  readonly adopt: string;
}

/** The workflow run that deploys. Without an id nothing can be put in order. */
export interface Run {
  readonly id: number | undefined;
  readonly attempt: number;
  readonly actor: string;
  readonly url: string;
}
