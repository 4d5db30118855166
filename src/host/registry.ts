import { request as httpRequest } from "node:http";
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
  const client = new RegistryClient(
    dial,
    registry === "docker.io" ? "registry-1.docker.io" : registry,
    insecure,
    credentials,
  );
  const manifest = await client.manifest(repository, image.digest);
  const variants = manifest?.manifests;
  if (!variants) return manifest?.layers;
  const mine = variants.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === image.architecture,
  );
  return mine ? (await client.manifest(repository, mine.digest))?.layers : undefined;
}

const hubRepository = (name: string): string => {
  const bare = name.replace(/^docker\.io\//, "");
  return bare.includes("/") ? bare : `library/${bare}`;
};

interface Manifest {
  readonly layers?: readonly Layer[];
  readonly manifests?: readonly { digest: string; platform?: { os: string; architecture: string } }[];
}

class RegistryClient {
  constructor(
    private readonly dial: Dial,
    private readonly host: string,
    private readonly insecure: boolean,
    private readonly credentials: Credentials | undefined,
  ) {}

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

  private async get(
    url: URL,
    headers: Record<string, string>,
  ): Promise<{ status: number; challenge: string; body: string }> {
    const secure = url.protocol === "https:";
    const tcp = await this.dial(url.hostname, Number(url.port) || (secure ? 443 : 80));
    const stream = secure ? tlsConnect({ socket: tcp, servername: url.hostname }) : tcp;
    return new Promise((resolve, reject) => {
      const request = httpRequest(url.href.replace(/^https:/, "http:"), {
        createConnection: () => Object.assign(stream, { setNoDelay: () => stream, setKeepAlive: () => stream }),
        headers: { host: url.host, accept: MANIFESTS, connection: "close", ...headers },
        signal: AbortSignal.timeout(ANSWER_TIMEOUT),
      });
      request.on("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > ANSWER_LIMIT) request.destroy(new Error("the registry's answer is too long"));
        });
        response.on("error", reject);
        response.on("end", () => {
          tcp.destroy();
          resolve({ status: response.statusCode ?? 0, challenge: response.headers["www-authenticate"] ?? "", body });
        });
      });
      request.on("error", reject);
      stream.on("error", reject);
      request.end();
    });
  }
}
