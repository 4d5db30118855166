import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import Docker from "dockerode";
import { pullImage, registryOf, resolveImage, withoutTag } from "../../../src/host/pull";
import { UserError } from "../../../src/user-error";

const DIGEST = `sha256:${"0".repeat(64)}`;
const REFERENCE = `ghcr.io/acme/shop@${DIGEST}`;
const credentials = { username: "octocat", password: "secret" };

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
let engine: Server;
let docker: Docker;
let answers: Record<string, Answer>;
let asked: string[];
let logins: unknown[];

/** The Engine API, as far as a pull needs it. */
beforeEach(async () => {
  [answers, asked, logins] = [{ "GET /images": (response) => response.end('{"Id":"x"}') }, [], []];
  engine = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? "");
    asked.push(`${request.method} ${url}`);
    const login = request.headers["x-registry-auth"];
    if (login) logins.push(JSON.parse(Buffer.from(String(login), "base64url").toString()));
    const answer = Object.entries(answers).find(([start]) => `${request.method} ${url}`.startsWith(start))?.[1];
    if (answer) answer(response, request);
    else response.writeHead(404).end('{"message":"page not found"}');
  });
  await new Promise<void>((resolve) => {
    engine.listen(0, "127.0.0.1", resolve);
  });
  docker = new Docker({ protocol: "http", host: "127.0.0.1", port: (engine.address() as AddressInfo).port });
});
afterEach(() => {
  engine.closeAllConnections();
  engine.close();
});

const lines = (...objects: object[]) => objects.map((object) => `${JSON.stringify(object)}\r\n`).join("");
const pulling = lines(
  { status: "Pulling from acme/shop", id: DIGEST },
  { status: "Downloading", id: "a1", progress: "[=> ]" },
);
const pulled = `${pulling}${lines({ status: "Pull complete", id: "a1" }, { status: `Status: Downloaded newer image` })}`;

async function pull(login?: typeof credentials, signal = new AbortController().signal) {
  const said: string[] = [];
  await pullImage(docker, REFERENCE, login, (line) => said.push(line), signal);
  return said;
}

test("pulls by digest, tells each layer's end, and looks whether the image is there", async () => {
  answers["POST /images/create"] = (response) => response.end(pulled);
  expect(await pull()).toEqual([
    `${DIGEST}: Pulling from acme/shop`,
    "a1: Pull complete",
    "Status: Downloaded newer image",
  ]);
  expect(asked).toEqual([`POST /images/create?fromImage=ghcr.io/acme/shop&tag=${DIGEST}`]);
  expect(logins).toEqual([]);
});

test("sends the login in the call's header, with the registry that it is for", async () => {
  answers["POST /images/create"] = (response) => response.end(pulled);
  await pull(credentials);
  expect(logins).toEqual([{ ...credentials, serveraddress: "ghcr.io" }]);
});

test("reads lines and characters that arrive in pieces", async () => {
  answers["POST /images/create"] = (response) => {
    const bytes = Buffer.from(lines({ status: "Prüfsumme" }, { status: "fertig" }).trimEnd());
    for (const byte of bytes) response.write(Buffer.from([byte]));
    response.end();
  };
  expect(await pull()).toEqual(["Prüfsumme", "fertig"]);
});

test("takes an error line inside a 200 for what it is", async () => {
  answers["POST /images/create"] = (response) =>
    response.end(
      pulling + lines({ errorDetail: { message: "x" }, error: "write /var/lib/docker: no space left on device" }),
    );
  await expect(pull()).rejects.toEqual(
    new UserError(
      `image: the host's disk filled up while pulling ${REFERENCE}. Free some space on it (docker system df).`,
    ),
  );
});

test("takes a stream that is cut in the middle for a failure", async () => {
  answers["POST /images/create"] = (response) => response.write(pulling, () => response.destroy());
  await expect(pull()).rejects.toEqual(
    new UserError(
      `image: the host could not get ${REFERENCE} from ghcr.io: the connection ended in the middle of the pull`,
    ),
  );
});

test("takes a stream that is cut inside a line for a failure", async () => {
  answers["POST /images/create"] = (response) => response.write(pulling.slice(0, -10), () => response.destroy());
  await expect(pull()).rejects.toThrow("the connection ended in the middle of the pull");
});

test("takes lines that are not Docker's for a failure", async () => {
  answers["POST /images/create"] = (response) => response.end("<html>proxy</html>\n");
  await expect(pull()).rejects.toThrow(
    `image: the host could not get ${REFERENCE} from ghcr.io: Docker answered "<html>proxy</html>"`,
  );
});

test("stops when the deploy is cancelled", async () => {
  const cancel = new AbortController();
  const closed = new Promise((resolve) => {
    answers["POST /images/create"] = (response) => {
      response.once("close", resolve);
      response.write(pulling, () => cancel.abort());
    };
  });
  await expect(pull(undefined, cancel.signal)).rejects.toThrow();
  await closed;
});

const unauthorized = (who: string) =>
  `image: ghcr.io refused ${REFERENCE} ${who}. Check the login, that it may read this repository, and the name.`;
const anonymous = unauthorized("without registry-username and registry-password");
const absent = `image: ${REFERENCE} does not exist in ghcr.io. Check the name, the tag or digest, and that the build pushed it.`;
const otherPlatform = `image: ${REFERENCE} has no variant for the host's processor. Build it for that platform (build's "platforms").`;
const limited = (said: string) =>
  `image: ghcr.io limits how often may be pulled. Give registry-username and registry-password, or wait. It said: ${said}`;

const LIMIT =
  "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit";
const refusals: readonly [said: string, sentence: string][] = [
  ['Head "https://ghcr.io/v2/acme/shop/manifests/x": unauthorized', anonymous],
  ["unauthorized: authentication required", anonymous],
  ["denied: requested access to the resource is denied", anonymous],
  ["error from registry: denied", anonymous],
  ["no basic auth credentials", anonymous],
  ["pull access denied for acme/shop, repository does not exist or may require 'docker login'", anonymous],
  ["manifest unknown", absent],
  [`manifest for ${REFERENCE} not found: manifest unknown: manifest unknown`, absent],
  [`failed to resolve reference "${REFERENCE}": ${REFERENCE}: not found`, absent],
  ["name unknown: repository name not known to registry", absent],
  ["no matching manifest for linux/arm64/v8 in the manifest list entries", otherPlatform],
  [
    "no matching manifest for linux/arm64 in the manifest list entries: no match for platform in manifest: not found",
    otherPlatform,
  ],
  ["image with reference x was found but does not match the specified platform: wanted linux/amd64", otherPlatform],
  [LIMIT, limited(LIMIT)],
  [
    "dial tcp: lookup ghcr.io: no such host",
    `image: the host could not get ${REFERENCE} from ghcr.io: dial tcp: lookup ghcr.io: no such host`,
  ],
];

test.each(refusals)('says what to do about "%s"', async (said, sentence) => {
  answers["POST /images/create"] = (response) => response.end(lines({ error: said }));
  await expect(pull()).rejects.toEqual(new UserError(sentence));
});

test("names the user whom the registry refused, and never the password", async () => {
  answers["POST /images/create"] = (response) =>
    response.writeHead(500).end('{"message":"unauthorized: incorrect username or password"}');
  await expect(pull(credentials)).rejects.toEqual(
    new UserError(unauthorized('as "octocat" (registry-username, registry-password)')),
  );
});

test("names the job's role where ECR refused the login that it gave for it", async () => {
  answers["POST /images/create"] = (response) => response.end(lines({ error: "denied: not authorized" }));
  const reference = "111122223333.dkr.ecr.us-east-1.amazonaws.com/shop:1.2";
  const given = pullImage(
    docker,
    reference,
    { username: "AWS", password: "s3cret" },
    () => {},
    new AbortController().signal,
  );
  await expect(given).rejects.toThrow("with the login of the job's AWS role. Check that the role may pull");
});

const image = (name: string, digest?: string) => ({ name, digest, credentials: undefined });

test("resolves a tag once, through the host, with what it is built for", async () => {
  answers["GET /distribution/ghcr.io/acme/shop:1.2/json"] = (response) =>
    response.end(
      JSON.stringify({
        Descriptor: { digest: DIGEST },
        Platforms: [
          { os: "linux", architecture: "amd64" },
          { os: "unknown", architecture: "unknown" },
          { os: "linux", architecture: "arm64" },
        ],
      }),
    );
  expect(await resolveImage(docker, image("ghcr.io/acme/shop:1.2"))).toEqual({
    name: "ghcr.io/acme/shop",
    digest: DIGEST,
    architectures: ["amd64", "arm64"],
  });
});

test("asks for a digest rather than for the tag before it", async () => {
  answers = {
    "GET /distribution": (response) => response.end(JSON.stringify({ Descriptor: { digest: DIGEST } })),
  };
  const found = await resolveImage(docker, { ...image("ghcr.io/acme/shop:1.2", DIGEST), credentials });
  expect(found).toEqual({ name: "ghcr.io/acme/shop", digest: DIGEST, architectures: [] });
  expect(asked.at(-1)).toBe(`GET /distribution/${REFERENCE}/json`);
  expect(logins).toEqual([{ ...credentials, serveraddress: "ghcr.io" }]);
});

test("needs no registry for a digest that the host has", async () => {
  const found = await resolveImage(docker, { ...image("ghcr.io/acme/shop:1.2", DIGEST), credentials });
  expect(found).toEqual({ name: "ghcr.io/acme/shop", digest: DIGEST, architectures: [] });
  expect(asked).toEqual([`GET /images/${REFERENCE}/json`]);
});

test("says that an image does not exist before anything is pulled", async () => {
  answers["GET /distribution"] = (response) => response.writeHead(404).end('{"message":"manifest unknown"}');
  await expect(resolveImage(docker, image("ghcr.io/acme/shop:nope"))).rejects.toEqual(
    new UserError(absent.replace(REFERENCE, "ghcr.io/acme/shop:nope")),
  );
});

const names: readonly [image: string, registry: string, bare: string][] = [
  ["nginx", "docker.io", "nginx"],
  ["nginx:1.27", "docker.io", "nginx"],
  ["acme/shop", "docker.io", "acme/shop"],
  ["docker.io/acme/shop:1", "docker.io", "docker.io/acme/shop"],
  ["localhost/x", "localhost", "localhost/x"],
  ["localhost:5000/x", "localhost:5000", "localhost:5000/x"],
  ["127.0.0.1:5000/a/b:tag", "127.0.0.1:5000", "127.0.0.1:5000/a/b"],
  [`ghcr.io/a/b@${DIGEST}`, "ghcr.io", "ghcr.io/a/b"],
  [`ghcr.io/a/b:1@${DIGEST}`, "ghcr.io", "ghcr.io/a/b"],
  [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
  ],
  ["[::1]:5000/x:1", "[::1]:5000", "[::1]:5000/x"],
];

test.each(names)("reads the name %s as docker does", (name, registry, bare) => {
  expect([registryOf(name), withoutTag(name)]).toEqual([registry, bare]);
});
