import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import type { Guard } from "../../../src/host/guard/guard";
import type { Host } from "../../../src/host/host";
import { renderConfig } from "../../../src/host/proxy/config";
import type { SlotCounters, SlotState } from "../../../src/host/proxy/runtime";
import type { ReleaseRecord } from "../../../src/release/record";
import type { DeployRequest } from "../../../src/release/request";
import { recordedTerms } from "../../../src/release/terms";

const ADDRESS = "172.18.0.3";
const IDLE: SlotCounters = { requests: 0, errors: 0, meanTime: 0, maint: false };
const DIGEST = `sha256:${"a".repeat(64)}`;

/** A host on which everything works, with r1 live in blue: it notes each thing that a deploy changes, or asks to. */
export class RecordingHost {
  readonly notes: string[] = [];
  readonly #request: DeployRequest;
  readonly #app: Server;
  #filled: readonly string[] = [];
  /** the pull said that all is well, and the image is not there */
  imageIsGone = false;
  /** r2 was here before r1, and its container was kept */
  keepsR2 = false;

  constructor(request: DeployRequest) {
    this.#request = request;
    this.#app = createServer((_asked, answer) => answer.setHeader("x-release", request.version).end("ok")).listen(0);
  }

  close(): void {
    this.#app.close();
    this.#app.closeAllConnections();
  }

  /** As far as a deploy uses it; what it never calls is not there. */
  host(): Host {
    const never = new Promise<never>(() => {});
    return {
      name: "host",
      connection: { closed: never, requireForwarding: async () => {} },
      engine: { greet: async () => ({ Version: "29.1.2", Arch: "amd64" }), warm: () => {}, close: () => {} },
      docker: this.#docker(),
      guard: async () => this.#guard(),
      proxy: () => ({ slots: async () => this.#slots(), counters: async () => ({ blue: IDLE, green: IDLE }) }),
      dial: async () => connect((this.#app.address() as AddressInfo).port, "127.0.0.1"),
      drop: () => {},
      close: () => {},
    } as unknown as Host;
  }

  #note(...words: readonly string[]): void {
    this.notes.push(words.join(" "));
  }

  #kept(): ReleaseRecord {
    const { app, version } = this.#request;
    const terms = recordedTerms(this.#request, "");
    return {
      ...this.#record(),
      release: "r2",
      version,
      container: `${app}-r2`,
      slot: "green",
      previous: "none",
      terms,
    };
  }

  #record(): ReleaseRecord {
    const { app, run } = this.#request;
    const image = { image: "ghcr.io/acme/shop", digest: `sha256:${"b".repeat(64)}`, fingerprint: "another" };
    const place = { container: `${app}-r1`, slot: "blue", port: 5000, stopTimeout: 10, drainTimeout: 5 } as const;
    const made = { transaction: "t1", createdAt: "2026-11-24T02:18:00.000Z", run, previous: "r2" };
    return { format: 1, release: "r1", version: "v1", ...image, ...place, ...made };
  }

  #guard(): Guard {
    const never = new Promise<never>(() => {});
    return {
      facts: { dockerGroup: "999", memoryFree: 2 ** 33 },
      lost: never,
      ready: async () => ({ current: "r1", recovered: "nothing", stuck: undefined }),
      begin: async (release: string) => this.#note("BEGIN", release),
      undo: async (...entry: string[]) => this.#note("UNDO", ...entry),
      retire: async (...entry: string[]) => this.#note("RETIRE", ...entry),
      read: async (...deed: string[]) => this.#read(deed),
      do: async (...deed: string[]) => this.#do(deed),
      refused: never,
      lock: async () => {},
      prepare: async () => this.#note("PREPARE"),
      commit: async () => this.#note("COMMIT"),
      finish: async () => this.#note("FINISH"),
      abort: async () => this.#note("ABORT"),
      hold: async () => {},
      bye: async () => this.#note("BYE"),
      close: () => {},
    } as unknown as Guard;
  }

  #read([verb, file]: readonly string[]): string {
    if (verb === "releases") return JSON.stringify([this.#record(), ...(this.keepsR2 ? [this.#kept()] : [])]);
    if (file === "history") return "";
    const { slot, container, port } = this.#record();
    return renderConfig(this.#request.traffic, { slot, container, port });
  }

  #do(deed: readonly string[]): string {
    if (deed[0] === "space") return String(2 ** 33);
    this.#note("DO", ...deed);
    if (deed[0] === "fill") this.#filled = deed;
    return "";
  }

  #slots(): SlotState[] {
    const [, , container = "", address = "", port] = this.#filled;
    return [{ slot: "green", address, up: true, admin: "drain", container, port: Number(port) }];
  }

  #docker(): unknown {
    const { proxyImage, httpPort } = this.#request.traffic;
    const inspected = {
      State: { Running: true },
      Config: { Image: proxyImage },
      HostConfig: { PortBindings: { "80/tcp": [{ HostPort: String(httpPort) }] } },
    };
    const networks = { [`hello-devops-${this.#request.app}`]: { IPAddress: ADDRESS } };
    const container = (name: string) => ({
      start: async () => this.#note("docker start", name),
      remove: async () => this.#note("docker remove", name),
      inspect: async () => ({ ...inspected, NetworkSettings: { Networks: networks } }),
      stats: async () => ({ memory_stats: { usage: 1 } }),
      wait: () => new Promise(() => {}),
    });
    return {
      info: async () => ({ Architecture: "x86_64", DockerRootDir: "/var/lib/docker" }),
      listContainers: async () => (this.keepsR2 ? [{ Names: [`/${this.#request.app}-r2`] }] : []),
      listNetworks: async () => Object.keys(networks).map((Name) => ({ Name })),
      getContainer: container,
      createImage: async () => Readable.from(['{"status":"Downloaded newer image"}\n']),
      getImage: (name: string) => ({
        distribution: async () => ({ Descriptor: { digest: DIGEST }, Platforms: [] }),
        inspect: async () => {
          if (this.imageIsGone && name.endsWith(DIGEST))
            throw Object.assign(new Error("no such image"), { statusCode: 404 });
          return { Config: { ExposedPorts: { "5000/tcp": {} } } };
        },
      }),
      createContainer: async ({ name }: { name: string }) => {
        this.#note("docker create", name);
        return container(name);
      },
    };
  }
}
