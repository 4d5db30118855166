// Makes a bed, or completes the one that is there.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebian, ensureHaproxy, ensureNode, hubAnswers } from "./base-images";
import {
  type Bed,
  type BedImage,
  type BedState,
  checkName,
  type HostKind,
  readJson,
  stateFolder,
  writeJson,
} from "./bed";
import { removeContainer } from "./containers";
import { ensureEngine } from "./engine";
import { type Box, boxPlans, ensureBox, ensureHostImage, existingHosts, keyFileOf, knownHostsOf } from "./hosts";
import { ensureImages } from "./images";
import { kinds } from "./kinds";
import { locked } from "./lock";
import { ensureNetwork, type Network } from "./network";
import { ensureMirror, ensureRegistry, ensureRegistryImage, fillMirror, mirrorUrl, type Registry } from "./registry";
import { run, say } from "./run";
import { ensureToxiproxy, ensureToxiproxyImage, toxiproxyPort } from "./toxiproxy";

export interface UpOptions {
  name?: string;
  /** As many as there are, or one. */
  hosts?: number;
  /** The hosts of other kinds beside them; as there are. */
  more?: readonly HostKind[];
  /** The round trip of the SSH wire in milliseconds; 0 puts Toxiproxy there without a delay, undefined leaves it out. */
  latency?: number;
}

export async function up(options: UpOptions = {}): Promise<Bed> {
  const name = checkName(options.name ?? "default");
  await ensureEngine();
  return locked(`bed-${name}`, () => make(name, options));
}

/** Each step starts as soon as what it stands on is there. A failure is told when all have ended: nothing runs on behind it. */
async function make(name: string, options: UpOptions): Promise<Bed> {
  mkdirSync(stateFolder(name), { recursive: true, mode: 0o700 });
  const state = await recall(name);
  const { hub } = state;
  const publicKey = await ensureKey(name);
  const has = await existingHosts(name);
  const plans = boxPlans(options.hosts ?? Math.max(1, has.hosts), options.more ?? has.more);
  const network = await ensureNetwork(name);

  const debian = ensureDebian(hub);
  const registryImage = debian.then(ensureRegistryImage);
  // Some kinds share an image.
  const hostKinds = [...new Map(plans.map(({ kind }) => [kinds[kind].image, kinds[kind]])).values()];
  const hostImages = Promise.all(
    hostKinds.map((kind) => ensureDebian(hub, kind.base).then(() => ensureHostImage(kind))),
  );
  const nodeImage = debian.then(() => ensureNode(hub));
  const haproxyImage = hub ? undefined : ensureHaproxy();
  const toxiproxyImage = options.latency === undefined ? undefined : debian.then(ensureToxiproxyImage);

  const registry = registryImage.then(() => ensureRegistry(name, network, state));
  const images = Promise.all([registry, nodeImage]).then(([registry]) => ensureImages(name, registry, state));
  const mirror = hub ? undefined : registryImage.then(() => ensureMirror(name, network));
  const mirrorFilled = Promise.all([mirror, haproxyImage]).then(() => (hub ? undefined : fillMirror(name)));
  const boxes = Promise.all([registry, hostImages]).then(([{ address }]) => {
    const registryPort = address.split(":")[1] ?? "";
    const settings = { bed: name, network, publicKey, registryPort, mirror: hub ? undefined : mirrorUrl(network) };
    return Promise.all(plans.map((plan) => ensureBox(plan, settings)));
  });
  const parts = [registry, images, boxes, mirrorFilled, toxiproxyImage] as const;
  await Promise.allSettled(parts);
  return assemble(name, network, await Promise.all(parts), options.latency);
}

async function recall(name: string): Promise<BedState> {
  const file = join(stateFolder(name), "state.json");
  const known = readJson<BedState>(file);
  if (known) return known;
  const made = { password: randomBytes(12).toString("hex"), hub: await hubAnswers(), pushed: {} };
  say(
    made.hub
      ? "Docker Hub answers: base images come from it"
      : "Docker Hub can't be reached: base images are made here",
  );
  writeJson(file, made);
  return made;
}

async function ensureKey(name: string): Promise<string> {
  const file = keyFileOf(name);
  if (!existsSync(file)) await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `bed-${name}`, "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").trim();
}

async function assemble(
  name: string,
  network: Network,
  [registry, images, boxes]: readonly [Registry, Record<string, BedImage>, Box[], ...unknown[]],
  latency: number | undefined,
): Promise<Bed> {
  const toxiproxy = latency === undefined ? undefined : await ensureToxiproxy(name, network, boxes, latency);
  if (!toxiproxy) await removeContainer(name, "toxiproxy");
  const wire = toxiproxy ? new URL(toxiproxy).hostname : undefined;
  const hosts = boxes.map((box, index) => ({
    name: box.name,
    kind: box.kind,
    address: wire ?? box.ip,
    port: wire ? toxiproxyPort(index) : 22,
    user: "ec2-user",
    keyFile: keyFileOf(name),
    knownHosts: knownHostsOf(name),
    url: `http://${box.ip}`,
    container: box.container,
    boundedDisk: box.boundedDisk,
  }));
  const known = boxes.flatMap((box, index) => [
    `${box.ip} ${box.hostKey}`,
    ...(wire ? [`[${wire}]:${toxiproxyPort(index)} ${box.hostKey}`] : []),
  ]);
  const file = knownHostsOf(name); // a test that reads it meanwhile sees the old one or the new one
  writeFileSync(`${file}.next`, `${known.join("\n")}\n`);
  renameSync(`${file}.next`, file);
  const { address, username, password } = registry;
  say(`ready: ${hosts.length} host(s), ${Object.keys(images).length} images`);
  return { hosts, registry: { address, username, password }, images, ...(toxiproxy ? { toxiproxy } : {}) };
}
