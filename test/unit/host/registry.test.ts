import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { imageLayers } from "../../../src/host/registry";

const INDEX = `sha256:${"1".repeat(64)}`;
const AMD64 = `sha256:${"2".repeat(64)}`;
const ARM64 = `sha256:${"3".repeat(64)}`;
const layers = [
  { digest: "sha256:a", size: 1000 },
  { digest: "sha256:b", size: 2000 },
];
const credentials = { username: "octocat", password: "secret" };
const basic = `Basic ${Buffer.from("octocat:secret").toString("base64")}`;

let servers: Server[] = [];
let asked: string[] = [];
let manifests: Record<string, unknown> = {};
/** what a caller has to show; undefined = nothing */
let wanted: string | undefined;
let challenge = "";
let registryPort = 0;

const registry: RequestListener = (request, response) => {
  asked.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? "anonymous"}`);
  if (wanted && request.headers.authorization !== wanted) {
    response.writeHead(401, { "www-authenticate": challenge }).end("{}");
    return;
  }
  const manifest = manifests[request.url?.split("/").at(-1) ?? ""];
  if (manifest === undefined) response.writeHead(404).end("{}");
  else response.end(typeof manifest === "string" ? manifest : JSON.stringify(manifest));
};

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

beforeEach(async () => {
  [servers, asked, wanted, challenge] = [[], [], undefined, ""];
  manifests = {
    [INDEX]: {
      manifests: [
        { digest: ARM64, platform: { os: "linux", architecture: "arm64" } },
        { digest: "sha256:w", platform: { os: "windows", architecture: "amd64" } },
        { digest: AMD64, platform: { os: "linux", architecture: "amd64" } },
        { digest: "sha256:attestation", platform: { os: "unknown", architecture: "unknown" } },
      ],
    },
    [AMD64]: { layers },
  };
  registryPort = await listen(createServer(registry));
});
afterEach(() => {
  jest.restoreAllMocks();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** Whatever host is asked for, through the deploy's connection, is this machine. */
const dialled: string[] = [];
const dial = (port: number) => (address: string, at: number) => {
  dialled.push(`${address}:${at}`);
  return Promise.resolve(connect(port, "127.0.0.1"));
};

const ask = (digest = INDEX, login?: typeof credentials, architecture = "amd64") =>
  imageLayers(dial(registryPort), { name: "registry.test:5000/acme/shop", digest, architecture }, login, true);

test("finds the layers of the host's own platform in an index", async () => {
  expect(await ask()).toEqual(layers);
  expect(asked).toEqual([
    `registry.test:5000 /v2/acme/shop/manifests/${INDEX} anonymous`,
    `registry.test:5000 /v2/acme/shop/manifests/${AMD64} anonymous`,
  ]);
  expect(dialled).toEqual(["registry.test:5000"]); // one connection for both questions
});

test("takes the layers of an image that is for one platform only", async () => {
  expect(await ask(AMD64)).toEqual(layers);
});

test("knows nothing of a platform that the index has not", async () => {
  expect(await ask(INDEX, undefined, "s390x")).toBeUndefined();
});

test("knows nothing of an image that is not there", async () => {
  expect(await ask("sha256:nope")).toBeUndefined();
});

test("shows a login only to a registry that asks for it", async () => {
  await ask(AMD64, credentials);
  expect(asked).toEqual([`registry.test:5000 /v2/acme/shop/manifests/${AMD64} anonymous`]);
});

test("logs in by name and password where the registry wants that", async () => {
  [wanted, challenge] = [basic, 'Basic realm="registry"'];
  expect(await ask(AMD64, credentials)).toEqual(layers);
  expect(await ask(AMD64)).toBeUndefined();
});

test("knows nothing when the login is refused", async () => {
  [wanted, challenge] = ["Basic other", 'Basic realm="registry"'];
  expect(await ask(AMD64, credentials)).toBeUndefined();
});

test.each(["", "Negotiate", "Bearer", 'Bearer realm="http://127.0.0.1/token"', 'Bearer realm="/token"'])(
  "sends no login anywhere for the challenge %j",
  async (text) => {
    [wanted, challenge] = ["Bearer t", text];
    expect(await ask(AMD64, credentials)).toBeUndefined();
    expect(asked).toHaveLength(1);
  },
);

test("asks Docker Hub under its own address, and for an official image in library", async () => {
  const hub = imageLayers(dial(registryPort), { name: "nginx", digest: AMD64, architecture: "amd64" }, undefined, true);
  expect(await hub).toEqual(layers);
  await imageLayers(
    dial(registryPort),
    { name: "docker.io/acme/shop", digest: AMD64, architecture: "amd64" },
    undefined,
    true,
  );
  expect(asked).toEqual([
    `registry-1.docker.io /v2/library/nginx/manifests/${AMD64} anonymous`,
    `registry-1.docker.io /v2/acme/shop/manifests/${AMD64} anonymous`,
  ]);
  expect(dialled.at(-1)).toBe("registry-1.docker.io:80");
});

const broken: readonly [what: string, manifest: unknown, error: string | RegExp][] = [
  ["is no JSON", "<html>", /JSON/],
  ["is longer than 4 MiB", "x".repeat(5 * 1024 * 1024), "the registry's answer is too long"],
];

test.each(broken)("fails on an answer that %s", async (_what, manifest, error) => {
  manifests[AMD64] = manifest;
  await expect(ask(AMD64)).rejects.toThrow(error);
});

test("fails on a registry that hangs up", async () => {
  const port = await listen(createServer((request) => request.socket.destroy()));
  const image = { name: "registry.test/acme/shop", digest: AMD64, architecture: "amd64" };
  await expect(imageLayers(dial(port), image, undefined, true)).rejects.toThrow("socket hang up");
});

test("fails on an answer that is cut off", async () => {
  const port = await listen(
    createServer((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    }),
  );
  const image = { name: "registry.test/acme/shop", digest: AMD64, architecture: "amd64" };
  await expect(imageLayers(dial(port), image, undefined, true)).rejects.toThrow("aborted");
});

/** A certificate for these names, and nothing else in the world trusts it. */
function certificate(names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "registry-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const san = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  try {
    execFileSync("openssl", [...words, "-subj", "/CN=test", "-addext", san, "-keyout", key, "-out", cert], {
      stdio: "pipe",
    });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A registry and its token server behind one TLS port. */
async function secure(names: readonly string[]): Promise<{ port: number; ca: string }> {
  const pair = certificate(names);
  const token: RequestListener = (request, response) => {
    if (!request.url?.startsWith("/token")) return registry(request, response);
    asked.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? "anonymous"}`);
    response.end(JSON.stringify({ token: request.headers.authorization ? "his" : "anyone's" }));
  };
  return { port: await listen(createSecureServer(pair, token)), ca: pair.cert };
}

/** The one way to let the code under test trust a certificate of this test: it names no CA of its own. */
function trust(ca: string): void {
  const real = tls.connect as (options: tls.ConnectionOptions) => tls.TLSSocket;
  jest
    .spyOn(tls, "connect")
    .mockImplementation(((options: tls.ConnectionOptions) => real({ ...options, ca })) as typeof tls.connect);
}

const overTls = (port: number, login?: typeof credentials) =>
  imageLayers(dial(port), { name: "registry.test/acme/shop", digest: AMD64, architecture: "amd64" }, login, false);

test.each([
  ["as anybody", undefined, "anyone's", "anonymous"],
  ["by a login", credentials, "his", basic],
] as const)("fetches a token %s from where the registry says", async (_what, login, token, shown) => {
  const { port, ca } = await secure(["registry.test", "auth.test"]);
  trust(ca);
  wanted = `Bearer ${token}`;
  challenge = 'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:acme/shop:pull"';
  expect(await overTls(port, login)).toEqual(layers);
  expect(asked).toEqual([
    `registry.test /v2/acme/shop/manifests/${AMD64} anonymous`,
    `auth.test /token?service=registry.test&scope=repository%3Aacme%2Fshop%3Apull ${shown}`,
    `registry.test /v2/acme/shop/manifests/${AMD64} Bearer ${token}`,
  ]);
});

test("sends nothing to a registry whose certificate nobody signed, or is another's", async () => {
  const { port, ca } = await secure(["elsewhere.test"]);
  await expect(overTls(port, credentials)).rejects.toThrow("self-signed certificate");
  trust(ca);
  await expect(overTls(port, credentials)).rejects.toThrow("registry.test. is not in the cert's altnames");
  expect(asked).toEqual([]);
});
