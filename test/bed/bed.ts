// What a bed is: the JSON that `up` prints, and the names by which a bed's parts are found again.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a box is: today's usual one, or one of the others (kinds.ts). */
export type HostKind = "debian12" | "docker26" | "live-restore";

export interface BedHost {
  name: string;
  kind: HostKind;
  /** `address` and `port` reach sshd from this machine (through Toxiproxy when the bed has a latency). */
  address: string;
  port: number;
  user: string;
  keyFile: string;
  knownHosts: string;
  /** The host's port 80. */
  url: string;
  /** Docker's name of the box: `docker restart|exec|pause` it to inject a fault. */
  container: string;
  /** True when the box's /var/lib is a file system of its own, so that it can be filled without harm. */
  boundedDisk: boolean;
}

export interface BedImage {
  tag: string;
  digest: string;
}

export interface Bed {
  hosts: BedHost[];
  registry: { address: string; username: string; password: string };
  images: Record<string, BedImage>;
  toxiproxy?: string;
}

/** What a second `up` must know and can't read from Docker. */
export interface BedState {
  password: string;
  /** Whether Docker Hub could be reached when the bed was made. */
  hub: boolean;
  pushed: Record<string, { content: string; digest: string }>;
}

/** On containers, networks and volumes. Images carry another key: a container inherits its image's labels. */
export const bedLabel = "hello-devops.bed";
export const imageLabel = "hello-devops.bed.image";
export const contentLabel = "hello-devops.bed.content";
export const cacheName = "cache";

export const bedFolder = fileURLToPath(new URL(".", import.meta.url));
export const checkout = join(bedFolder, "..", "..");
export const cacheFolder = join(checkout, ".cache", "bed");

export const stateFolder = (name: string): string => join(cacheFolder, name);
export const dockerName = (name: string, part: string): string => `hello-devops-bed-${name}-${part}`;
export const localImage = (part: string): string => `hello-devops-bed/${part}`;

export function checkName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,30}$/.test(name) && name !== cacheName) return name;
  throw new Error(`--name: expected lower-case letters, digits and dashes (and not "${cacheName}"), got "${name}".`);
}

/** The words by which a person, or a script, gets to a box; its address comes behind them. */
export const sshTo = (host: BedHost): string =>
  `ssh -i ${host.keyFile} -o UserKnownHostsFile=${host.knownHosts} -p ${host.port}`;

export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined; // missing or torn: made anew
  }
}

export function writeJson(file: string, value: unknown): void {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.next`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.next`, file);
}
