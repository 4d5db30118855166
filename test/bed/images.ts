// The images that a deploy is tried with: built here, pushed to the bed's registry with user and password.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { node } from "./base-images";
import {
  type BedImage,
  type BedState,
  bedFolder,
  cacheName,
  checkout,
  imageLabel,
  localImage,
  stateFolder,
  writeJson,
} from "./bed";
import { ensureImage, type ImagePlan } from "./build";
import { manifestDigest, pushForeign } from "./foreign-images";
import type { Registry } from "./registry";
import { docker, lines, say } from "./run";

const repository = "sample-app";
const shared = localImage("misbehave");

/** name -> [behaviour, version, the ports that it exposes] */
const behaviours: Record<string, [string, number, ...number[]]> = {
  broken: ["broken", 3, 5000],
  exits: ["exits", 3, 5000],
  silent: ["silent", 3, 5000],
  slow20: ["slow20", 3, 5000],
  turnsbad: ["turnsbad", 3, 5000],
  errors5: ["errors5", 3, 5000],
  ignoresterm: ["ignoresterm", 3, 5000],
  oom: ["oom", 3, 5000],
  echo1: ["well", 1, 5000],
  echo2: ["well", 2, 5000],
  otherport: ["otherport", 3, 5000],
  manyports: ["well", 3, 5000, 6000],
  noport: ["well", 3],
  chatty: ["chatty", 3, 5000],
  hangs: ["hangs", 3, 5000],
  crashes5: ["crashes5", 3, 5000],
};

function plans(bed: string, registry: Registry): ImagePlan[] {
  const tag = (name: string) => `${registry.address}/${repository}:${name}`;
  const app = (version: string): ImagePlan => ({
    tag: tag(`good${version}`),
    context: join(checkout, "app"),
    args: { VERSION: version, COMMIT: version.repeat(40) },
    base: node,
    owner: bed,
  });
  const behaving = Object.entries(behaviours).map(([name, [behaviour, version, ...ports]]) => {
    const expose = ports.map((port) => `EXPOSE ${port}\n`).join("");
    const dockerfile = `FROM ${shared}\n${expose}CMD ["node", "/srv/misbehave.mjs", "${behaviour}", "${version}"]\n`;
    return { tag: tag(name), context: { dockerfile }, base: shared, owner: bed };
  });
  return [app("1"), app("2"), ...behaving];
}

/** The classic builder leaves the first stage behind without a name or a label; with both, it can be found and removed. */
async function ensureBuildStage(): Promise<void> {
  const context = join(checkout, "app");
  const target = /^FROM \S+ AS (\S+)/m.exec(readFileSync(join(context, "Dockerfile"), "utf8"))?.[1];
  if (target) await ensureImage({ tag: localImage("app-build"), context, target, base: node, owner: cacheName });
}

/** One call for all of them: a second `up` must be quick. */
async function builtContents(bed: string): Promise<Map<string, string>> {
  const ids = lines(await docker(["image", "ls", "--quiet", "--filter", `label=${imageLabel}=${bed}`]));
  if (ids.length === 0) return new Map();
  const seen = JSON.parse(await docker(["image", "inspect", ...new Set(ids)])) as {
    RepoTags: string[] | null;
    Config: { Labels: Record<string, string> };
  }[];
  return new Map(
    seen.flatMap((image) =>
      (image.RepoTags ?? []).map((tag) => [tag, image.Config.Labels["hello-devops.bed.content"] ?? ""]),
    ),
  );
}

export async function ensureImages(
  bed: string,
  registry: Registry,
  state: BedState,
): Promise<Record<string, BedImage>> {
  await ensureImage({
    tag: shared,
    context: join(bedFolder, "images"),
    args: { NODE: node },
    base: node,
    owner: cacheName,
  });
  await ensureBuildStage();
  const built = await builtContents(bed);
  const queue = plans(bed, registry);
  const nameOf = (plan: ImagePlan) => plan.tag.slice(plan.tag.lastIndexOf(":") + 1);
  // Named now, so that the order in the JSON does not hang on which is ready first.
  const images = Object.fromEntries(queue.map((plan) => [nameOf(plan), { tag: plan.tag, digest: "" }]));
  const bring = async (plan: ImagePlan) => {
    images[nameOf(plan)] = await bringToRegistry(nameOf(plan), plan, registry, state, built);
  };
  // The first of each family carries the layers that the others share; pushed at once, each would compress them again.
  await Promise.all([bring(queue[0] as ImagePlan), bring(queue[2] as ImagePlan)]);
  const rest = [queue[1] as ImagePlan, ...queue.slice(3)];
  await Promise.all(
    [1, 2, 3].map(async () => {
      for (let plan = rest.shift(); plan; plan = rest.shift()) await bring(plan);
    }),
  );
  Object.assign(images, await pushForeign(repository, registry));
  writeJson(join(stateFolder(bed), "state.json"), state);
  return images;
}

async function bringToRegistry(
  name: string,
  plan: ImagePlan,
  registry: Registry,
  state: BedState,
  built: Map<string, string>,
): Promise<BedImage> {
  const content = await ensureImage(plan, built.get(plan.tag));
  const there = await manifestDigest(registry, repository, name);
  const before = state.pushed[name];
  if (there === undefined || before?.content !== content || before.digest !== there) {
    say(`pushing ${repository}:${name}`);
    await docker(["push", "--quiet", plan.tag], { env: registry.login });
    const digest = await manifestDigest(registry, repository, name);
    if (!digest) throw new Error(`The registry does not have ${plan.tag}, though it was pushed.`);
    state.pushed[name] = { content, digest };
  }
  return { tag: plan.tag, digest: `${registry.address}/${repository}@${state.pushed[name]?.digest}` };
}
