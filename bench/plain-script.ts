import { spawn } from "node:child_process";
import type { Bed, BedHost } from "../test/bed/bed";
import { apt } from "../test/bed/engine";
import { run, succeeds } from "../test/bed/run";
import { inBox } from "../test/support/outside";

/** One ssh with docker pull, stop, rm and run: what stands in many workflows. Resolves when ssh has ended, however it did. */
export function plainScript(host: BedHost, reference: string): Promise<void> {
  const command = `docker pull -q ${reference} && docker stop web && docker rm web; docker run -d --name web -p 80:5000 ${reference}`;
  const options = ["-i", host.keyFile, "-o", `UserKnownHostsFile=${host.knownHosts}`, "-p", String(host.port)];
  const child = spawn("ssh", [...options, `${host.user}@${host.address}`, command], { stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}

/** What the script takes for granted: OpenSSH here, and a login that lies on the host. */
export async function readyForPlainScript(bed: Bed, host: BedHost): Promise<void> {
  if (!(await succeeds(run("ssh", ["-V"])))) await apt("openssh-client");
  const { username, password, address } = bed.registry;
  await inBox(host, "docker", "login", "-u", username, "-p", password, address);
  await inBox(host, "su", "ec2-user", "-c", `docker login -u ${username} -p ${password} ${address}`);
}
