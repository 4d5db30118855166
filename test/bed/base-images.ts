// The images that everything stands on, under their real names. Where Docker Hub can be reached they are pulled;
// elsewhere they are made here, from Debian's packages and from npm's, so that the same Dockerfiles run unchanged.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bedFolder, cacheFolder, cacheName, checkout, imageLabel, localImage, readJson } from "./bed";
import { ensureImage, imageId } from "./build";
import { apt } from "./engine";
import { locked } from "./lock";
import { docker, run, say, succeeds } from "./run";

export const debian = "debian:bookworm-slim";
export const debian13 = "debian:trixie-slim";
export const haproxy = "haproxy:3.0.11";
/** The one that the sample app stands on. */
export const node = /^FROM (node:\S+)/m.exec(readFileSync(join(checkout, "app", "Dockerfile"), "utf8"))?.[1] ?? "";
const trixie = localImage("trixie-haproxy");
const npmVersion = "11.19.0";

export async function hubAnswers(): Promise<boolean> {
  if (process.env.BED_HUB) return process.env.BED_HUB === "1";
  const answer = await fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(4000) }).catch(
    () => undefined,
  );
  return answer?.status === 401 || answer?.status === 200;
}

/** Asked again under the lock: another bed may have made it meanwhile. */
async function unlessThere(tag: string, make: () => Promise<unknown>): Promise<void> {
  if (await imageId(tag)) return;
  await locked(`make ${tag}`, async () => (await imageId(tag)) ?? (await make()));
}

export const ensureDebian = (hub: boolean, tag = debian): Promise<void> =>
  unlessThere(tag, () => (hub ? pull(tag) : bootstrap(tag === debian ? "bookworm" : "trixie", [], tag)));

export const ensureNode = (hub: boolean): Promise<void> => unlessThere(node, () => (hub ? pull(node) : makeNode()));

export const ensureHaproxy = (): Promise<void> =>
  unlessThere(haproxy, async () => {
    await unlessThere(trixie, () => bootstrap("trixie", ["haproxy"], trixie));
    await ensureImage({ tag: haproxy, context: join(bedFolder, "base", "haproxy"), base: trixie, owner: cacheName });
  });

async function makeNode(): Promise<void> {
  say(`making ${node} from npm's packages`);
  const context = mkdtempSync(join(tmpdir(), "bed-node-"));
  try {
    await fillNodeContext(context);
    await ensureImage({ tag: node, context, base: debian, owner: cacheName, args: { NODE_VERSION: nodeVersion() } });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

async function pull(image: string): Promise<void> {
  say(`pulling ${image} from Docker Hub`);
  await docker(["pull", "--quiet", image]);
}

const nodeVersion = (): string => /^node:([\d.]+)-/.exec(node)?.[1] ?? "";

async function fillNodeContext(context: string): Promise<void> {
  copyFileSync(join(bedFolder, "base", "node", "Dockerfile"), join(context, "Dockerfile"));
  copyFileSync(join(bedFolder, "base", "node", "docker-entrypoint.sh"), join(context, "docker-entrypoint.sh"));
  const folder = join(checkout, "node_modules", `node-linux-${process.arch === "arm64" ? "arm64" : "x64"}`);
  const binary = join(folder, "bin", "node");
  const has = readJson<{ version: string }>(join(folder, "package.json"))?.version ?? "none";
  if (has !== nodeVersion())
    throw new Error(
      `${node} is made from ${folder}, which has version ${has}: run npm ci (with optional dependencies).`,
    );
  copyFileSync(binary, join(context, "node"));
  const packed = await run("npm", ["pack", "--silent", "--pack-destination", context, `npm@${npmVersion}`], {
    cwd: checkout,
  });
  mkdirSync(join(context, "npm"));
  const archive = packed.split("\n").at(-1) ?? "";
  await run("tar", ["-xzf", join(context, archive), "-C", join(context, "npm"), "--strip-components=1"]);
  rmSync(join(context, archive));
  await writeNpmSettings(context);
}

/** Where this machine reaches npm's registry in its own way, an `npm ci` in a build must do so too. */
async function writeNpmSettings(context: string): Promise<void> {
  const setting = async (name: string) => {
    const value = await run("npm", ["config", "get", name], { cwd: tmpdir() }).catch(() => "");
    return value === "null" || value === "undefined" ? "" : value;
  };
  const authority = (await setting("cafile")) || (process.env.NODE_EXTRA_CA_CERTS ?? "");
  mkdirSync(join(context, "etc"));
  writeFileSync(
    join(context, "etc", "authority.crt"),
    authority && existsSync(authority) ? readFileSync(authority) : "",
  );
  const npmrc = [`registry=${await setting("registry")}`];
  if (authority && existsSync(authority)) npmrc.push("cafile=/usr/local/etc/authority.crt");
  writeFileSync(join(context, "etc", "npmrc"), `${npmrc.join("\n")}\n`);
}

/** The packages' documentation and lists go: boxes pull what stands on this. */
const left = [
  "var/cache/apt/*",
  "var/lib/apt/lists/*",
  "var/log/*",
  "usr/share/doc/*",
  "usr/share/man/*",
  "usr/share/info/*",
  "usr/share/locale/*",
];

async function bootstrap(suite: string, packages: string[], tag: string): Promise<void> {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0)
    throw new Error(
      `Docker Hub can't be reached, and ${tag} can be made without it only on Debian as root (debootstrap).`,
    );
  // Two of these run side by side, and apt runs once at a time.
  await locked("apt", async () => {
    if (!(await succeeds(run("debootstrap", ["--version"])))) await apt("debootstrap", "debian-archive-keyring");
  });
  say(`making ${tag}: debootstrap ${suite} ${packages.join(" ")}(about 45 s)`);
  const folder = mkdtempSync(join(tmpdir(), `bed-${suite}-`));
  const root = join(folder, "root");
  const include = packages.length ? [`--include=${packages.join(",")}`] : [];
  try {
    await run("debootstrap", ["--variant=minbase", ...include, suite, root, debianMirror()]);
    const tar = join(folder, "root.tar");
    await run("tar", ["-C", root, ...left.map((pattern) => `--exclude=./${pattern}`), "-cf", tar, "."]);
    const changes = ['CMD ["bash"]', `LABEL ${imageLabel}=${cacheName}`].flatMap((change) => ["--change", change]);
    await docker(["import", ...changes, tar, tag]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mirror that this machine's own apt uses. */
function debianMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  const text = files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("\n");
  return /https?:\/\/\S+\/debian(?=[/\s]|$)/m.exec(text.replaceAll(/#.*/g, ""))?.[0] ?? "http://deb.debian.org/debian";
}

export const cachedNames = [debian, debian13, node, haproxy, trixie];
export const machineFile = join(cacheFolder, "machine.json");
