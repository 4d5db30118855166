// The boxes: one container each, with sshd and a Docker engine of its own.
import { connect } from "node:net";
import { join } from "node:path";
import { debian } from "./base-images";
import { bedFolder, cacheName, dockerName, localImage, stateFolder } from "./bed";
import { ensureImage } from "./build";
import { ensureContainer, ensureVolume } from "./containers";
import { firstHostAt, type Network, registryAt } from "./network";
import { boxPrivileges } from "./privileges";
import { docker, lines } from "./run";

const image = localImage("host");

export interface Box {
  name: string;
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

export const ensureHostImage = (): Promise<string> =>
  ensureImage({ tag: image, context: join(bedFolder, "host"), base: debian, owner: cacheName });

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

export async function ensureBox(n: number, settings: BoxSettings): Promise<Box> {
  const { bed, network, publicKey } = settings;
  const name = `host${n}`;
  const ip = network.at(firstHostAt + n - 1);
  const volume = await ensureVolume(bed, name);
  const environment = {
    BED_KEY: publicKey,
    BED_MIRROR: settings.mirror ?? "",
    BED_REGISTRY: `${settings.registryPort} ${network.at(registryAt)}:5000`,
    BED_CGROUP: `/hello-devops-bed/${bed}/${name}`,
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
  const container = await ensureContainer({ bed, part: name, image, options, unstable });
  const [disk, hostKey = ""] = lines(await docker(["exec", container, "bed-ctl", "wait"]));
  await reaches(ip, 22);
  return { name, container, ip, boundedDisk: disk === "loop", hostKey };
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

export async function existingHosts(bed: string): Promise<number> {
  const names = lines(
    await docker(["ps", "--all", "--filter", `label=hello-devops.bed=${bed}`, "--format", "{{.Names}}"]),
  );
  const prefix = dockerName(bed, "host");
  return names.filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))).length;
}

/** Brings a box back to a new host, quicker than a new one: containers, networks, volumes, state go; images on wish. */
export async function resetHost(host: { container: string }, options: { images?: boolean } = {}): Promise<void> {
  await docker(["exec", host.container, "bed-ctl", "reset", ...(options.images ? ["--images"] : [])]);
}

export const keyFileOf = (bed: string): string => join(stateFolder(bed), "id_ed25519");
export const knownHostsOf = (bed: string): string => join(stateFolder(bed), "known_hosts");
