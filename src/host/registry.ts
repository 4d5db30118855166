import { Agent, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { type Credentials, registryOf } from "./pull";

/** Opens a TCP stream as seen from the host: what the host can reach is what its pull can reach. */
export type Dial = (address: string, port: number) => Promise<Duplex>;

export interface Layer {
  readonly digest: string;
  readonly size: number;
}

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const ANSWER_TIMEOUT = 10_000;
const ANSWER_LIMIT = 4 * 1024 * 1024;

/**
 * The layers of an image with their compressed sizes in bytes, by the registry's HTTP API (OCI distribution spec 1.1),
 * asked through the host. undefined = the registry would not say; then the size is not known, which is no failure.
 */
export async function imageLayers(
  dial: Dial,
  image: { readonly name: string; readonly digest: string; readonly architecture: string },
  credentials: Credentials | undefined,
  insecure: boolean,
): Promise<readonly Layer[] | undefined> {
  const registry = registryOf(image.name);
  const repository = registry === "docker.io" ? hubRepository(image.name) : image.name.slice(registry.length + 1);
  const client = new RegistryClient(dial, apiHost(registry), insecure, credentials);
  try {
    const manifest = await client.manifest(repository, image.digest);
    const variants = manifest?.manifests;
    if (!variants) return manifest?.layers;
    const mine = variants.find(
      ({ platform }) => platform?.os === "linux" && platform.architecture === image.architecture,
    );
    return mine ? (await client.manifest(repository, mine.digest))?.layers : undefined;
  } finally {
    client.close();
  }
}

/** A dial whose first stream, to the image's registry, is opened before it is known what to ask there. */
export function dialAhead(dial: Dial, image: string): { readonly dial: Dial; close(): void } {
  const { hostname, port } = new URL(`https://${apiHost(registryOf(image))}`);
  const at = Number(port) || 443;
  let opened: Promise<Duplex> | undefined = dial(hostname, at);
  opened.catch(() => {}); // told to whoever asks for it
  const take = () => {
    const stream = opened;
    opened = undefined;
    return stream;
  };
  return {
    dial: (address, wanted) => (address === hostname && wanted === at && take()) || dial(address, wanted),
    close: () => {
      take()?.then(
        (stream) => stream.destroy(),
        () => {},
      );
    },
  };
}

const apiHost = (registry: string): string => (registry === "docker.io" ? "registry-1.docker.io" : registry);

const hubRepository = (name: string): string => {
  const bare = name.replace(/^docker\.io\//, "");
  return bare.includes("/") ? bare : `library/${bare}`;
};

interface Manifest {
  readonly layers?: readonly Layer[];
  readonly manifests?: readonly { digest: string; platform?: { os: string; architecture: string } }[];
}

/** One connection to each server, however many questions: on a long wire each new one costs up to three round trips. */
class DialAgent extends Agent {
  constructor(private readonly dial: Dial) {
    super({ keepAlive: true, maxSockets: 1 });
  }

  override createConnection(
    options: { readonly host?: string; readonly port?: number; readonly secure?: boolean },
    done: (error: Error | null, stream?: Duplex) => void,
  ): undefined {
    const { host = "", port = 0, secure } = options;
    this.dial(host, port).then((tcp) => {
      const stream = secure ? tlsConnect({ socket: tcp, servername: host }) : tcp;
      done(null, Object.assign(stream, asSocket(stream)));
    }, done);
  }
}

/** What node:http calls on its sockets, and a channel has not. */
const asSocket = (stream: Duplex) => ({
  setNoDelay: () => stream,
  setKeepAlive: () => stream,
  setTimeout: () => stream,
  ref: () => stream,
  unref: () => stream,
});

class RegistryClient {
  readonly #agent: DialAgent;

  constructor(
    dial: Dial,
    private readonly host: string,
    private readonly insecure: boolean,
    private readonly credentials: Credentials | undefined,
  ) {
    this.#agent = new DialAgent(dial);
  }

  close(): void {
    this.#agent.destroy();
  }

  async manifest(repository: string, digest: string): Promise<Manifest | undefined> {
    const url = new URL(`${this.insecure ? "http" : "https"}://${this.host}/v2/${repository}/manifests/${digest}`);
    let answer = await this.get(url, {});
    if (answer.status === 401) {
      const authorization = await this.authorization(answer.challenge);
      if (authorization) answer = await this.get(url, { authorization });
    }
    return answer.status === 200 ? (JSON.parse(answer.body) as Manifest) : undefined;
  }

  /** Basic, or a token from where the challenge says (distribution spec, token authentication). */
  private async authorization(challenge: string): Promise<string | undefined> {
    const basic = this.credentials
      ? `Basic ${Buffer.from(`${this.credentials.username}:${this.credentials.password}`).toString("base64")}`
      : undefined;
    if (/^basic/i.test(challenge)) return basic;
    const fields = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );
    if (!/^bearer/i.test(challenge) || !fields.realm?.startsWith("https://")) return undefined;
    const url = new URL(fields.realm);
    if (fields.service) url.searchParams.set("service", fields.service);
    if (fields.scope) url.searchParams.set("scope", fields.scope);
    const answer = await this.get(url, basic ? { authorization: basic } : {});
    if (answer.status !== 200) return undefined;
    const { token, access_token } = JSON.parse(answer.body) as { token?: string; access_token?: string };
    return `Bearer ${token ?? access_token}`;
  }

  private get(url: URL, headers: Record<string, string>): Promise<{ status: number; challenge: string; body: string }> {
    const secure = url.protocol === "https:";
    const options = {
      agent: this.#agent,
      secure,
      port: Number(url.port) || (secure ? 443 : 80),
      headers: { host: url.host, accept: MANIFESTS, ...headers },
      signal: AbortSignal.timeout(ANSWER_TIMEOUT),
    };
    return new Promise((resolve, reject) => {
      const request = httpRequest(url.href.replace(/^https:/, "http:"), options);
      request.on("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > ANSWER_LIMIT) request.destroy(new Error("the registry's answer is too long"));
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, challenge: response.headers["www-authenticate"] ?? "", body }),
        );
      });
      request.on("error", reject);
      request.end();
    });
  }
}
