import type Docker from "dockerode";
import type { ResolvedImage } from "../host/pull";
import type { HistoryLine } from "./history";
import type { ReleaseRecord } from "./record";

/** What the host is like before anything is changed, and what this change will make of it. */
export interface Scene {
  readonly image: Pick<ResolvedImage, "name" | "digest">;
  /** `name@sha256:...`: what is pulled, run, and restored */
  readonly reference: string;
  readonly imagePresent: boolean;
  readonly releases: readonly ReleaseRecord[];
  /** what is committed */
  readonly current: ReleaseRecord | undefined;
  /** what serves before this change: what is committed, or the container that is adopted */
  readonly previous: ReleaseRecord | undefined;
  /** haproxy.cfg of the live release; '' = none */
  readonly liveConfig: string;
  /** the app's own network is there */
  readonly network: boolean;
  readonly proxy: Docker.ContainerInspectInfo | undefined;
  /** undefined = the proxy has its port already, or nobody does */
  readonly handover: Handover | undefined;
  readonly id: string;
  readonly fingerprint: string;
  /** the release that is there already and is brought back; undefined = a new one is made */
  readonly kept: ReleaseRecord | undefined;
  readonly history: readonly HistoryLine[];
  readonly warnings: string[];
}

/** Who holds the host's port, and gives it to the proxy that the deploy makes: the proxy before it, or a container made by hand. */
export interface Handover {
  /** the holder's id: its name changes on the way */
  readonly id: string;
  readonly name: string;
  /** what changes, in a sentence without its full stop */
  readonly why: string;
  /** seconds for what is in flight, while new connections are refused */
  readonly grace: number;
  /** the holder's restart policy, as a journal writes it */
  readonly policy: string;
  /** the record of a container made by hand; undefined = the holder is this app's own proxy */
  readonly adopted: ReleaseRecord | undefined;
}

export interface DockerInfo {
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly RegistryConfig?: { readonly IndexConfigs?: Readonly<Record<string, { readonly Secure: boolean }>> };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armv7l: "arm" };

export const architecture = (info: DockerInfo): string => ARCHITECTURES[info.Architecture] ?? info.Architecture;
