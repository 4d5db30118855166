// Images for another processor, pushed by the registry's own API: no build of this machine could make them.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { BedImage } from "./bed";
import type { Registry } from "./registry";

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const listType = "application/vnd.docker.distribution.manifest.list.v2+json";
const anyManifest = [
  manifestType,
  listType,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
];

function ask(registry: Registry, path: string, init: RequestInit = {}): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString("base64")}`;
  const url = path.startsWith("http") ? path : `http://${registry.address}${path}`;
  return fetch(url, { ...init, headers: { ...init.headers, authorization }, signal: AbortSignal.timeout(20_000) });
}

export async function manifestDigest(registry: Registry, repository: string, tag: string): Promise<string | undefined> {
  const accept = anyManifest.join(", ");
  const answer = await ask(registry, `/v2/${repository}/manifests/${tag}`, { method: "HEAD", headers: { accept } });
  return answer.ok ? (answer.headers.get("docker-content-digest") ?? undefined) : undefined;
}

const digestOf = (data: Uint8Array | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

async function putBlob(registry: Registry, repository: string, data: Buffer<ArrayBuffer>): Promise<string> {
  const digest = digestOf(data);
  const begun = await ask(registry, `/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const target = new URL(begun.headers.get("location") ?? "", `http://${registry.address}`);
  target.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const put = await ask(registry, target.href, { method: "PUT", body: data, headers });
  if (!put.ok) throw new Error(`The registry did not take a blob: ${put.status} ${await put.text()}`);
  return digest;
}

async function putManifest(registry: Registry, repository: string, tag: string, manifest: { mediaType: string }) {
  const body = JSON.stringify(manifest);
  const headers = { "content-type": manifest.mediaType };
  const put = await ask(registry, `/v2/${repository}/manifests/${tag}`, { method: "PUT", body, headers });
  if (!put.ok) throw new Error(`The registry did not take ${repository}:${tag}: ${put.status} ${await put.text()}`);
  return { mediaType: manifest.mediaType, size: body.length, digest: digestOf(body) };
}

/** A tar archive with one executable file: an ELF header for the other processor, so that a start ends in "exec format error". */
function archiveWithForeignBinary(machine: number): Buffer<ArrayBuffer> {
  const binary = Buffer.alloc(512);
  binary.write("\x7fELF\x02\x01\x01", 0, "latin1");
  binary.writeUInt16LE(2, 16);
  binary.writeUInt16LE(machine, 18);
  binary.writeUInt32LE(1, 20);
  binary.writeUInt16LE(64, 52);
  const head = Buffer.alloc(512);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  head.write(`server\0`, 0);
  head.write(octal(0o755, 8) + octal(0, 8) + octal(0, 8) + octal(binary.length, 12) + octal(0, 12), 100);
  head.write("        0", 148);
  head.write("ustar\x0000", 257, "latin1");
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${octal(sum, 7)} `, 148);
  return Buffer.concat([head, binary, Buffer.alloc(1024)]);
}

/** `wrongarch`: one image for another processor. `wrongindex`: a list that has no entry for this one, as buildx makes. */
export async function pushForeign(repository: string, registry: Registry): Promise<Record<string, BedImage>> {
  const images: Record<string, BedImage> = {};
  const missing: string[] = [];
  for (const name of ["wrongarch", "wrongindex"]) {
    const digest = await manifestDigest(registry, repository, name);
    if (digest) images[name] = reference(registry, repository, name, digest);
    else missing.push(name);
  }
  if (missing.length === 0) return images;
  const architecture = process.arch === "arm64" ? "amd64" : "arm64";
  const archive = archiveWithForeignBinary(architecture === "arm64" ? 183 : 62);
  const layer = gzipSync(archive);
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: "linux",
      config: { Cmd: ["/server"], ExposedPorts: { "5000/tcp": {} } },
      rootfs: { type: "layers", diff_ids: [digestOf(archive)] },
      history: [{ created: "2026-01-01T00:00:00Z", created_by: "test bed" }],
    }),
  );
  const single = await putManifest(registry, repository, "wrongarch", {
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: config.length,
      digest: await putBlob(registry, repository, config),
    },
    layers: [
      {
        mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
        size: layer.length,
        digest: await putBlob(registry, repository, layer),
      },
    ],
  } as { mediaType: string });
  const list = await putManifest(registry, repository, "wrongindex", {
    schemaVersion: 2,
    mediaType: listType,
    manifests: [{ ...single, platform: { architecture, os: "linux" } }],
  } as { mediaType: string });
  images.wrongarch = reference(registry, repository, "wrongarch", single.digest);
  images.wrongindex = reference(registry, repository, "wrongindex", list.digest);
  return images;
}

const reference = (registry: Registry, repository: string, name: string, digest: string): BedImage => ({
  tag: `${registry.address}/${repository}:${name}`,
  digest: `${registry.address}/${repository}@${digest}`,
});
