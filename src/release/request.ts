import type { StatusRange } from "../health/expectation";
import type { ContainerOptions } from "../host/containers";
import type { Credentials, ImageRequest } from "../host/pull";

export type { ContainerOptions, Credentials, ImageRequest, StatusRange };

/**
 * What one deploy is asked to do. Every value is checked; durations are milliseconds, sizes bytes.
 * The words and defaults are those of actions/deploy-ec2/action.yml.
 */
export interface DeployRequest {
  readonly app: string;
  /** What people call the release: a commit, as a rule. It is what `X-Release` says. `[0-9A-Za-z._-]{1,64}` */
  readonly version: string;
  readonly image: ImageRequest;
  readonly container: ContainerOptions;
  readonly preDeploy: { readonly command: readonly string[]; readonly timeout: number } | undefined;
  readonly traffic: TrafficOptions;
  readonly health: HealthOptions;
  readonly bakeTime: number;
  readonly verify: { readonly command: string; readonly timeout: number } | undefined;
  /** how many hosts are moved together */
  readonly waveSize: WaveSize;
  readonly safety: SafetyOptions;
  readonly run: Run;
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

export interface SafetyOptions {
  readonly lockTimeout: number;
  readonly lease: number;
  readonly keepReleases: number;
  /** bytes */
  readonly minFreeDisk: number | "auto";
  readonly allowOlder: boolean;
  readonly force: boolean;
  readonly keepFailed: boolean;
  /** the container made by hand that holds the port; '' = none */
  readonly adopt: string;
  readonly dryRun: boolean;
}

/** The workflow run that deploys. Without an id nothing can be put in order. */
export interface Run {
  readonly id: number | undefined;
  readonly attempt: number;
  readonly actor: string;
  readonly url: string;
}
