import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { digestOf } from "../../../scripts/pins/digest";
import { imagesOf, pinned } from "../../../scripts/pins/pinned";

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** A registry with two images, one of them for holders of an anonymous token. */
let server: Server;
const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer(({ method, url = "", headers }, response) => {
    asked.push(`${method} ${url}`);
    const bearer = `Bearer realm="${origin()}/token",service="here",scope="repository:grafana/grafana:pull"`;
    if (url.startsWith("/token")) response.end(JSON.stringify({ token: "anybody" }));
    else if (url === "/v2/library/haproxy/manifests/3.0.11")
      response.writeHead(200, { "docker-content-digest": digest("a") }).end();
    else if (url === "/v2/private/app/manifests/1") response.writeHead(401, { "www-authenticate": "Basic" }).end();
    else if (url === "/v2/odd/app/manifests/1") response.writeHead(200).end();
    else if (!url.startsWith("/v2/grafana/")) response.writeHead(404).end();
    else if (headers.authorization !== "Bearer anybody") response.writeHead(401, { "www-authenticate": bearer }).end();
    else response.writeHead(200, { "docker-content-digest": digest("b") }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.close();
});

test("the digest of a tag is what its registry says of the whole image, for all processors", async () => {
  expect(await digestOf("haproxy:3.0.11", origin)).toBe(digest("a"));
});

test("a registry that wants a token of anybody gets one", async () => {
  expect(await digestOf("grafana/grafana:13.2.3", origin)).toBe(digest("b"));
  expect(asked).toContain("GET /token?service=here&scope=repository%3Agrafana%2Fgrafana%3Apull");
});

test.each([
  ["a tag that there is not", "nobody/app:9", "nobody/app:9: registry-1.docker.io answered 404. Is the tag right?"],
  ["a private image", "private/app:1", "private/app:1: registry-1.docker.io lets nobody in without a login"],
  ["an answer without a digest", "odd/app:1", "odd/app:1: registry-1.docker.io answered 200 without a digest"],
  ["no tag", "haproxy", "haproxy: expected a name with a tag."],
])("%s is refused in a sentence", async (_what, image, said) => {
  await expect(digestOf(image, origin)).rejects.toThrow(said);
});

test("a registry that can't be reached is named, with the cause", async () => {
  await expect(digestOf("ghcr.io/google/cadvisor:v1", () => "http://127.0.0.1:1")).rejects.toThrow(
    /^ghcr\.io\/google\/cadvisor:v1: ghcr\.io can't be reached \(.+\)\.$/,
  );
});

const compose = `services:
  proxy:
    image: haproxy:3.0.11 # the one that every deploy has pulled
  graphs:
    image: ghcr.io/acme/grafana:13.2.3@${digest("0")}
  other:
    image: haproxy:3.0.11
`;

test("each image is asked for once, whether it has a digest or none", () => {
  expect(imagesOf(compose)).toEqual(["haproxy:3.0.11", "ghcr.io/acme/grafana:13.2.3"]);
});

test("a digest comes behind the tag, in place of an older one; all else stays", () => {
  const digests = new Map([
    ["haproxy:3.0.11", digest("a")],
    ["ghcr.io/acme/grafana:13.2.3", digest("b")],
  ]);
  const once = pinned(compose, digests);
  expect(once).toBe(
    compose.replaceAll("haproxy:3.0.11", `haproxy:3.0.11@${digest("a")}`).replace(digest("0"), digest("b")),
  );
  expect(pinned(once, digests)).toBe(once);
});
