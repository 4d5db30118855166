import type Docker from "dockerode";

/** Labels by which what is ours on a host is known. */
export const LABEL = {
  app: "hello-devops.app",
  role: "hello-devops.role",
  release: "hello-devops.release",
  transaction: "hello-devops.transaction",
  /** opens what the release's record on the host seals */
  sealKey: "hello-devops.seal-key",
} as const;

/** Whose a line is stands in the line: by that whoever reads the host's log files knows app, release and container. */
export const lineLabels = { labels: [LABEL.app, LABEL.release].join(","), tag: "{{.Name}}" } as const;

export const appNetwork = (app: string): string => `hello-devops-${app}`;
export const proxyContainer = (app: string): string => `${app}-proxy`;

/** Where a container of the strategy recreate sees that it may run. */
const PERMISSION = "/.hello-devops";

/** How a container runs: what of the Engine API a deploy lets its user set. */
export interface ContainerOptions {
  /** undefined = the image's only EXPOSE */
  readonly port: number | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** words after the image's entrypoint; empty = the image's own */
  readonly command: readonly string[];
  /** `source:target[:ro]`, as the Engine API's HostConfig.Binds */
  readonly volumes: readonly string[];
  /** a network that exists on the host, joined besides the app's own */
  readonly network: string | undefined;
  /** bytes */
  readonly memory: number | undefined;
  /** billionths of a processor, as the Engine API's NanoCpus */
  readonly nanoCpus: number | undefined;
  /** options of Docker's json-file log driver */
  readonly logOptions: Readonly<Record<string, string>>;
  readonly stopTimeout: number;
}

export interface ContainerSpec {
  readonly name: string;
  readonly app: string;
  readonly release: string;
  readonly transaction: string;
  readonly role: "app" | "pre-deploy";
  /** `name@sha256:...` */
  readonly image: string;
  readonly command: readonly string[];
  readonly options: ContainerOptions;
  /** '' = nothing is sealed */
  readonly sealKey: string;
  /** a file of the host without which Docker does not start it; undefined = it starts always */
  readonly permission?: string | undefined;
}

/** The Engine API's create body: typed, so nothing is quoted and no value meets a shell or an argument list. */
export function createBody(spec: ContainerSpec): Docker.ContainerCreateOptions {
  const { options } = spec;
  return {
    name: spec.name,
    Image: spec.image,
    ...(spec.command.length > 0 ? { Cmd: [...spec.command] } : {}),
    Env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABEL.app]: spec.app,
      [LABEL.role]: spec.role,
      [LABEL.release]: spec.release,
      [LABEL.transaction]: spec.transaction,
      ...(spec.sealKey ? { [LABEL.sealKey]: spec.sealKey } : {}),
    },
    StopTimeout: Math.ceil(options.stopTimeout / 1000),
    HostConfig: {
      NetworkMode: appNetwork(spec.app),
      RestartPolicy: { Name: "no" }, // `always` comes with the commit
      Binds: [...options.volumes],
      // a mount of the Engine API, not a bind: Docker makes no missing source, it refuses the start
      ...(spec.permission
        ? { Mounts: [{ Type: "bind" as const, Source: spec.permission, Target: PERMISSION, ReadOnly: true }] }
        : {}),
      LogConfig: { Type: "json-file", Config: logOptions(options.logOptions) },
      ...(options.memory ? { Memory: options.memory, MemorySwap: options.memory } : {}),
      ...(options.nanoCpus ? { NanoCpus: options.nanoCpus } : {}),
    },
  };
}

/** The user's labels come beside ours: by ours a line is found. */
function logOptions(own: Readonly<Record<string, string>>): Record<string, string> {
  const labels = own.labels ? `${lineLabels.labels},${own.labels}` : lineLabels.labels;
  return { ...lineLabels, ...own, labels };
}

/** undefined = no such container */
export async function inspected(docker: Docker, name: string): Promise<Docker.ContainerInspectInfo | undefined> {
  try {
    return await docker.getContainer(name).inspect();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** The image's only EXPOSEd TCP port; undefined when there is none or more than one. */
export function onlyPort(image: Docker.ImageInspectInfo): number | undefined {
  const ports = Object.keys(image.Config.ExposedPorts ?? {}).filter((port) => port.endsWith("/tcp"));
  return ports.length === 1 ? Number.parseInt(ports[0] ?? "", 10) : undefined;
}

const LOG_LINES = 50;

/** What a container wrote last, both streams, oldest first, since its latest start: hostile text. */
export async function lastLogLines(docker: Docker, name: string, startedAt = ""): Promise<readonly string[]> {
  const since = startedAt === "" ? {} : { since: Date.parse(startedAt) / 1000 };
  const raw = (await docker
    .getContainer(name)
    .logs({ stdout: true, stderr: true, tail: LOG_LINES, follow: false, ...since })) as unknown as Buffer;
  return demultiplex(raw)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .slice(-LOG_LINES);
}

/** Frames of 8 bytes (stream, 3 zeros, big-endian length) and their payload: "Stream format" of the Engine API's attach. */
export function demultiplex(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= raw.length && (raw[at] ?? 9) <= 2 && raw[at + 1] === 0) {
    const length = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return at === 0 ? raw : Buffer.concat(parts);
}
