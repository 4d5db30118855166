// The boxes: one container each, with sshd and a Docker engine of its own.
import { connect } from "node:net";
import { join } from "node:path";
import { debian } from "./base-images";
import { bedFolder, cacheName, dockerName, type HostKind, stateFolder } from "./bed";
import { ensureImage } from "./build";
import { ensureContainer, ensureVolume } from "./containers";
import { type Kind, kinds, otherKinds } from "./kinds";
import { firstHostAt, firstOtherAt, type Network, registryAt } from "./network";
import { boxPrivileges } from "./privileges";
import { docker, lines } from "./run";

export interface Box {
  name: string;
  kind: HostKind;
  container: string;
  ip: string;
  boundedDisk: boolean;
  hostKey: string;
}

export interface BoxSettings {
  bed: string;
  network: Network;
  registryPort: string;
  mirror: string | undefined;
  publicKey: string;
}

export function ensureHostImage({ image: tag, base, engine }: Kind): Promise<string> {
  const args = { BASE: base, ENGINE: engine };
  return ensureImage({ tag, context: join(bedFolder, "host"), args, base, owner: cacheName });
}

let resolvers: Promise<string> | undefined;

/** What Docker itself would give a container of this machine: a loopback resolver is already replaced in it. */
function machineResolvers(): Promise<string> {
  resolvers ??= docker(["run", "--rm", debian, "cat", "/etc/resolv.conf"]).then((text) =>
    lines(text)
      .filter((line) => line.startsWith("nameserver ") && !line.includes(":"))
      .map((line) => line.split(/\s+/)[1])
      .join(" "),
  );
  return resolvers;
}

/** A box that a bed shall have. */
export interface BoxPlan {
  name: string;
  kind: HostKind;
  /** The last number of its address. */
  at: number;
}

/** The usual ones first: a worker finds its own by number. */
export const boxPlans = (count: number, more: readonly HostKind[]): BoxPlan[] => [
  ...Array.from(
    { length: count },
    (_, n): BoxPlan => ({ name: `host${n + 1}`, kind: "debian12", at: firstHostAt + n }),
  ),
  ...otherKinds.flatMap((kind, n) => (more.includes(kind) ? [{ name: kind, kind, at: firstOtherAt + n }] : [])),
];

export async function ensureBox({ name, kind, at }: BoxPlan, settings: BoxSettings): Promise<Box> {
  const { bed, network, publicKey } = settings;
  const ip = network.at(at);
  const volume = await ensureVolume(bed, name);
  const environment = {
    BED_KEY: publicKey,
    BED_MIRROR: settings.mirror ?? "",
    BED_REGISTRY: `${settings.registryPort} ${network.at(registryAt)}:5000`,
    BED_CGROUP: `/hello-devops-bed/${bed}/${name}`,
    ...(kinds[kind].settings && { BED_ENGINE: kinds[kind].settings }),
  };
  const options = [
    ...(await boxPrivileges()),
    ...["--network", network.name, "--ip", ip, "--hostname", `${bed}-${name}`],
    // The box's engine makes its containers' groups beside the machine's own: works with version 1 and 2 alike.
    ...["--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"],
    // A reboot empties /run; /var/lib outlives it, on the box's volume.
    ...["--tmpfs", "/run:exec,mode=755", "--volume", `${volume}:/bed`, "--stop-timeout", "60"],
    ...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
  ];
  // A machine that moves to another network keeps its boxes.
  const unstable = ["--env", `BED_DNS=${await machineResolvers()}`];
  const container = await ensureContainer({ bed, part: name, image: kinds[kind].image, options, unstable });
  await docker(["exec", container, "bed-access", "restore"]); // a test that was killed may have left port 22 closed
  const [disk, hostKey = ""] = lines(await docker(["exec", container, "bed-ctl", "wait"]));
  await reaches(ip, 22);
  return { name, kind, container, ip, boundedDisk: disk === "loop", hostKey };
}

function reaches(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, timeout: 5000 }, () => {
      socket.destroy();
      resolve();
    });
    const fail = () => {
      socket.destroy();
      reject(
        new Error(
          `${address}:${port} can't be reached from this machine. The Docker engine must run on this very machine (Linux): DOCKER_HOST=${process.env.DOCKER_HOST ?? ""}.`,
        ),
      );
    };
    socket.once("error", fail).once("timeout", fail);
  });
}

/** What a bed has already. */
export async function existingHosts(bed: string): Promise<{ hosts: number; more: HostKind[] }> {
  const names = lines(
    await docker(["ps", "--all", "--filter", `label=hello-devops.bed=${bed}`, "--format", "{{.Names}}"]),
  );
  const prefix = dockerName(bed, "host");
  return {
    hosts: names.filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))).length,
    more: otherKinds.filter((kind) => names.includes(dockerName(bed, kind))),
  };
}

/** Brings a box back to a new host, quicker than a new one: containers, networks, volumes, state go; images on wish. */
export async function resetHost(host: { container: string }, options: { images?: boolean } = {}): Promise<void> {
  await docker(["exec", host.container, "bed-ctl", "reset", ...(options.images ? ["--images"] : [])]);
}

export const keyFileOf = (bed: string): string => join(stateFolder(bed), "id_ed25519");
export const knownHostsOf = (bed: string): string => join(stateFolder(bed), "known_hosts");
