// Builds an image unless one with the same content is there.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheName, contentLabel, imageLabel, localImage } from "./bed";
import { locked } from "./lock";
import { docker, say, succeeds } from "./run";

export interface ImagePlan {
  tag: string;
  /** The folder with the Dockerfile, or a Dockerfile's text that needs no files. */
  context: string | { dockerfile: string };
  args?: Record<string, string>;
  /** A stage to stop at. */
  target?: string;
  /** The image that it stands on: made anew, this one is too. */
  base: string;
  owner: string;
}

const ignored = new Set(["node_modules", "dist", "coverage", ".git", "README.md"]);

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !ignored.has(name))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesOf(path) : [path];
    });
}

export async function imageId(tag: string): Promise<string | undefined> {
  return docker(["image", "inspect", "--format", "{{.Id}}", tag]).catch(() => undefined);
}

const bases = new Map<string, Promise<string | undefined>>();

/** Twenty images stand on two: each is asked for once, when it is there. */
function baseOf(tag: string): Promise<string | undefined> {
  const known = bases.get(tag) ?? imageId(tag);
  bases.set(tag, known);
  return known;
}

/** A name for what goes in: the same hash means the same image. */
export function contentHash(plan: ImagePlan, baseId: string): string {
  const hash = createHash("sha256").update(JSON.stringify([plan.tag, plan.args, plan.target, baseId, plan.owner]));
  if (typeof plan.context === "string")
    for (const file of filesOf(plan.context)) hash.update(file.slice(plan.context.length)).update(readFileSync(file));
  else hash.update(plan.context.dockerfile);
  return hash.digest("hex");
}

const proxies = ["http_proxy", "https_proxy", "no_proxy"];

/** The machine's proxies, where it has them: Docker knows these build arguments and leaves them out of the image. */
const proxyArgs = (): string[] =>
  proxies.flatMap((name) => {
    const value = process.env[name] ?? process.env[name.toUpperCase()];
    return value ? ["--build-arg", `${name}=${value}`] : [];
  });

let builder: Promise<NodeJS.ProcessEnv> | undefined;

/** The client refuses to build where its buildx plugin is missing, unless told to use the engine's own builder. */
function builderEnv(): Promise<NodeJS.ProcessEnv> {
  builder ??= succeeds(docker(["buildx", "version"])).then((buildx) => ({
    ...process.env,
    DOCKER_BUILDKIT: buildx ? "1" : "0",
    BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
  }));
  return builder;
}

const contentOf = (tag: string): Promise<string> =>
  docker(["image", "inspect", "--format", `{{index .Config.Labels "${contentLabel}"}}`, tag]).catch(() => "");

/** Returns the content hash; builds only where the label of the image that is there differs. Beds share some: one builds. */
export function ensureImage(plan: ImagePlan, known?: string): Promise<string> {
  return plan.owner === cacheName ? locked(`build ${plan.tag}`, () => buildOnce(plan)) : buildOnce(plan, known);
}

async function buildOnce(plan: ImagePlan, known?: string): Promise<string> {
  const baseId = await baseOf(plan.base);
  if (!baseId) throw new Error(`The image ${plan.base} is missing, ${plan.tag} stands on it.`);
  const content = contentHash(plan, baseId);
  const has = known ?? (await contentOf(plan.tag));
  if (has === content) return content;
  say(`building ${plan.tag}`);
  const superseded = await imageId(plan.tag);
  const args = Object.entries(plan.args ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  if (plan.target) args.push("--target", plan.target);
  const labels = ["--label", `${contentLabel}=${content}`, "--label", `${imageLabel}=${plan.owner}`];
  const words = ["build", "--quiet", ...proxyArgs(), ...args, ...labels, "--tag", plan.tag];
  const env = await builderEnv();
  if (typeof plan.context === "string") await docker([...words, plan.context], { env });
  else await docker([...words, "-"], { env, input: plan.context.dockerfile });
  bases.delete(plan.tag);
  if (superseded && superseded !== (await imageId(plan.tag))) await discard(superseded);
  return content;
}

/** One that a container still runs on gets a name by which `down` finds it later. */
async function discard(id: string): Promise<void> {
  if (await succeeds(docker(["image", "rm", id]))) return;
  await docker(["tag", id, `${localImage("superseded")}:${id.replace("sha256:", "").slice(0, 12)}`]);
}
