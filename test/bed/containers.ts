// A bed's long-lived containers: made once, started again when stopped, made anew when their settings changed.
import { createHash } from "node:crypto";
import { bedLabel, contentLabel, dockerName } from "./bed";
import { imageId } from "./build";
import { docker, say } from "./run";

export interface ContainerPlan {
  bed: string;
  part: string;
  image: string;
  /** Options of `docker run`; a change of them makes the container anew. */
  options: string[];
  /** Options that may differ from run to run: a port chosen at random, the machine's resolvers. */
  unstable?: string[];
}

export async function ensureContainer(plan: ContainerPlan): Promise<string> {
  const name = dockerName(plan.bed, plan.part);
  const content = createHash("sha256")
    .update(JSON.stringify([await imageId(plan.image), plan.options]))
    .digest("hex");
  const format = `{{index .Config.Labels "${contentLabel}"}} {{.State.Status}}`;
  const [has, status] = (await docker(["container", "inspect", "--format", format, name]).catch(() => "")).split(" ");
  if (has === content) {
    if (status === "paused") await docker(["unpause", name]);
    if (status === "exited" || status === "created") {
      say(`starting ${name}`);
      await docker(["start", name]);
    }
    return name;
  }
  say(`${has ? "making anew" : "making"} ${name}`);
  if (has !== undefined && has !== "") await docker(["rm", "--force", name]);
  const labels = ["--label", `${bedLabel}=${plan.bed}`, "--label", `${contentLabel}=${content}`];
  await docker(["run", "--detach", "--name", name, ...labels, ...plan.options, ...(plan.unstable ?? []), plan.image]);
  return name;
}

export async function ensureVolume(bed: string, part: string): Promise<string> {
  const name = dockerName(bed, part);
  await docker(["volume", "create", "--label", `${bedLabel}=${bed}`, name]); // does nothing where it is there
  return name;
}

export async function removeContainer(bed: string, part: string): Promise<void> {
  await docker(["rm", "--force", dockerName(bed, part)]).catch(() => undefined); // older clients fail when it isn't there
}
