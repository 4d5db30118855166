import type Docker from "dockerode";
import type { ResolvedImage } from "../host/pull";
import type { ReleaseRecord } from "./record";

/** What the host is like before anything is changed, and what this deploy will make. */
export interface Scene {
  readonly info: DockerInfo;
  readonly image: ResolvedImage;
  /** `name@sha256:...`: what is pulled, run, and restored */
  readonly reference: string;
  readonly imagePresent: boolean;
  readonly releases: readonly ReleaseRecord[];
  readonly current: ReleaseRecord | undefined;
  /** haproxy.cfg of the live release; '' = none */
  readonly liveConfig: string;
  /** the app's own network is there */
  readonly network: boolean;
  readonly proxy: Docker.ContainerInspectInfo | undefined;
  readonly id: string;
  readonly fingerprint: string;
  readonly warnings: string[];
}

export interface DockerInfo {
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly RegistryConfig?: { readonly IndexConfigs?: Readonly<Record<string, { readonly Secure: boolean }>> };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armv7l: "arm" };

export const architecture = (info: DockerInfo): string => ARCHITECTURES[info.Architecture] ?? info.Architecture;
