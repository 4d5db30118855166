// The monitoring's images for boxes that can't reach Docker Hub: Debian's programs of the same versions under the images' own
// names, users and entrypoints, so that compose.yaml runs as it is. Grafana and cAdvisor can't be had that way.
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { debian } from "../bed/base-images";
import { type BedHost, cacheName, checkout } from "../bed/bed";
import { ensureImage } from "../bed/build";
import { docker, run } from "../bed/run";
import { program, shared } from "./debian";

const { services } = parse(readFileSync(join(checkout, "monitoring/compose.yaml"), "utf8"), { merge: true }) as {
  services: Record<string, { image: string }>;
};

/** Service -> where its image has the program. What the parts ask of a shell is busybox's, as in the real ones. */
const standIns = {
  prometheus: "/bin/prometheus",
  alertmanager: "/bin/alertmanager",
  "node-exporter": "/bin/node_exporter",
} as const;
type Name = keyof typeof standIns;

const dockerfile = (binary: string, data: string) => `FROM ${debian}
RUN apt-get update && apt-get install -y --no-install-recommends busybox && ln -s /bin/busybox /bin/wget \\
  && rm -rf /var/lib/apt/lists/* && install -d -o nobody -g nogroup ${data}
COPY program ${binary}
COPY share /usr/share/prometheus/alertmanager
USER 65534
WORKDIR ${data}
ENTRYPOINT ["${binary}"]
`;

async function ensureStandIn(name: Name): Promise<string> {
  const tag = (services[name]?.image ?? "").replace(/@.*/, "");
  const context = mkdtempSync(join(tmpdir(), "stand-in-"));
  try {
    copyFileSync(await program(name), join(context, "program"));
    cpSync(await shared(), join(context, "share"), { recursive: true });
    await run("tee", [join(context, "Dockerfile")], { input: dockerfile(standIns[name], `/${name}`) });
    await ensureImage({ tag, context, base: debian, owner: cacheName });
    return tag;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Puts Compose and the images into a box. */
export async function equip(host: BedHost): Promise<void> {
  const plugin = "/usr/local/lib/docker/cli-plugins";
  await docker(["exec", host.container, "mkdir", "-p", plugin]);
  await docker(["cp", await program("compose"), `${host.container}:${plugin}/docker-compose`]);
  const tags: string[] = [];
  for (const name of Object.keys(standIns) as Name[]) tags.push(await ensureStandIn(name));
  await run("bash", [
    "-c",
    'set -o pipefail; box=$1; shift; docker save "$@" | docker exec -i "$box" docker load',
    "-",
    host.container,
    ...tags,
  ]);
}
