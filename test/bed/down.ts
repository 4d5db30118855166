// Removes what `up` made, found by its labels, and nothing else.
import { rmSync } from "node:fs";
import { cachedNames } from "./base-images";
import { bedLabel, cacheFolder, cacheName, checkName, imageLabel, localImage, stateFolder } from "./bed";
import { locked } from "./lock";
import { docker, lines, say, succeeds } from "./run";

export async function down(name = "default"): Promise<void> {
  checkName(name);
  await locked(`bed-${name}`, async () => {
    await removeParts(name);
    rmSync(stateFolder(name), { recursive: true, force: true });
    say(`bed "${name}" is gone; the shared base images stay (down --all removes them too)`);
  });
}

/** Every bed, and the base images that they share. */
export async function downAll(): Promise<void> {
  for (const name of await bedNames()) await down(name);
  await removeImages(cacheName, (tag) => cachedNames.includes(tag) || tag.startsWith(localImage("")));
  rmSync(cacheFolder, { recursive: true, force: true });
  say("the shared base images are gone");
}

async function bedNames(): Promise<string[]> {
  const format = `{{.Label "${bedLabel}"}}`;
  const found = await Promise.all([
    docker(["ps", "--all", "--filter", `label=${bedLabel}`, "--format", format]),
    docker(["network", "ls", "--filter", `label=${bedLabel}`, "--format", format]),
    docker(["volume", "ls", "--filter", `label=${bedLabel}`, "--format", format]),
  ]);
  return [...new Set(found.flatMap(lines))].sort();
}

async function removeParts(name: string): Promise<void> {
  const filter = ["--quiet", "--filter", `label=${bedLabel}=${name}`];
  const containers = lines(await docker(["ps", "--all", "--no-trunc", ...filter]));
  if (containers.length > 0) {
    say(`removing ${containers.length} containers of bed "${name}"`);
    await docker(["rm", "--force", "--volumes", ...containers]);
    await removeGroups(name);
  }
  const networks = lines(await docker(["network", "ls", ...filter]));
  if (networks.length > 0) await docker(["network", "rm", ...networks]);
  const volumes = lines(await docker(["volume", "ls", ...filter]));
  if (volumes.length > 0) await docker(["volume", "rm", "--force", ...volumes]);
  await removeImages(name, (tag) => /^127\.0\.0\.1:\d+\/sample-app:\w/.test(tag));
  await removeImages(cacheName, (tag) => tag.startsWith(`${localImage("superseded")}:`));
}

/** An image that a user built on ours inherits the label, so the name must be one that we give, too. */
async function removeImages(owner: string, isOurs: (tag: string) => boolean): Promise<void> {
  const words = ["image", "ls", "--filter", `label=${imageLabel}=${owner}`, "--format", "{{.Repository}}:{{.Tag}}"];
  // One by one, and not forced: what another bed still runs on stays.
  for (const tag of lines(await docker(words)).filter(isOurs)) await succeeds(docker(["image", "rm", tag]));
}

/** The control groups that the boxes' engines made beside the machine's own; empty now, but still there. */
async function removeGroups(name: string): Promise<void> {
  const mount = ["--volume", "/sys/fs/cgroup:/groups:rw"];
  const own = `*/hello-devops-bed/${name}`;
  // The last one is shared with other beds; rmdir leaves it while one of them is up.
  const which = ["(", "-path", own, "-o", "-path", `${own}/*`, "-o", "-path", "*/hello-devops-bed", ")"];
  const find = ["find", "/groups", "-depth", "-type", "d", ...which, "-exec", "rmdir", "{}", ";"];
  await docker(["run", "--rm", "--network=none", ...mount, localImage("host"), ...find]).catch(() => undefined);
}
