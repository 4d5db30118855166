// Toxiproxy before each box's sshd: a longer wire, or one that can be cut.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { debian } from "./base-images";
import { bedFolder, cacheFolder, cacheName, localImage } from "./bed";
import { ensureImage, imageId } from "./build";
import { ensureContainer } from "./containers";
import type { Box } from "./hosts";
import { type Network, toxiproxyAt } from "./network";
import { docker, run, say } from "./run";

const version = "2.12.0";
const image = localImage("toxiproxy");
const firstPort = 22001;

export const toxiproxyPort = (index: number): number => firstPort + index;

export async function ensureToxiproxyImage(): Promise<void> {
  if (await imageId(image)) return;
  const binary = join(cacheFolder, `toxiproxy-${version}`);
  if (existsSync(binary) || (await buildBinary(binary))) {
    const context = mkdtempSync(join(tmpdir(), "bed-toxiproxy-"));
    copyFileSync(binary, join(context, "toxiproxy"));
    copyFileSync(join(bedFolder, "toxiproxy", "Dockerfile"), join(context, "Dockerfile"));
    await ensureImage({ tag: image, context, base: debian, owner: cacheName });
    rmSync(context, { recursive: true });
    return;
  }
  const published = `ghcr.io/shopify/toxiproxy:${version}`;
  say(`pulling ${published}`);
  await docker(["pull", "--quiet", published]).catch((cause: unknown) => {
    throw new Error(
      `--latency needs Toxiproxy: put Go 1.22 or newer on PATH, or let this machine reach ${published}.`,
      { cause },
    );
  });
  await ensureImage({ tag: image, context: { dockerfile: `FROM ${published}\n` }, base: published, owner: cacheName });
}

async function buildBinary(binary: string): Promise<boolean> {
  const [, minor = "0"] = /go1\.(\d+)/.exec(await run("go", ["version"]).catch(() => "")) ?? [];
  if (Number(minor) < 22) return false;
  say(`building Toxiproxy ${version} (go install)`);
  const folder = mkdtempSync(join(tmpdir(), "bed-go-"));
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: "0" };
  await run("go", ["install", `github.com/Shopify/toxiproxy/v2/cmd/server@v${version}`], { env });
  mkdirSync(cacheFolder, { recursive: true });
  copyFileSync(join(folder, "server"), binary);
  rmSync(folder, { recursive: true });
  return true;
}

/** Returns the address of its API. Each proxy is named like its host, each delay like its direction. */
export async function ensureToxiproxy(bed: string, network: Network, boxes: Box[], latency: number): Promise<string> {
  const ip = network.at(toxiproxyAt);
  await ensureContainer({ bed, part: "toxiproxy", image, options: ["--network", network.name, "--ip", ip] });
  const api = `http://${ip}:8474`;
  await untilAnswers(`${api}/version`);
  const proxies = boxes.map((box, index) => ({
    name: box.name,
    listen: `0.0.0.0:${toxiproxyPort(index)}`,
    upstream: `${box.ip}:22`,
    enabled: true,
  }));
  await ask(`${api}/reset`, {}); // takes every toxic away, and heals a cut wire
  await ask(`${api}/populate`, proxies);
  if (latency > 0)
    for (const { name } of proxies)
      for (const stream of ["upstream", "downstream"])
        await ask(`${api}/proxies/${name}/toxics`, {
          name: `latency_${stream}`,
          type: "latency",
          stream,
          attributes: { latency: stream === "upstream" ? Math.floor(latency / 2) : Math.ceil(latency / 2), jitter: 0 },
        });
  return api;
}

async function ask(url: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers,
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`Toxiproxy: ${url} answered ${answer.status}: ${await answer.text()}`);
}

async function untilAnswers(url: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`Toxiproxy at ${url} did not answer within 15 s.`);
}
