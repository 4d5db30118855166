// Whether this machine can run the profile full, known before anything is pulled.
import { readFileSync } from "node:fs";
import { docker, lines } from "../../test/bed/run";

/** What up.sh wants of a machine for `full`. */
const MIB = 7400;
const registries = ["https://registry-1.docker.io/v2/", "https://docker.elastic.co/v2/", "https://ghcr.io/v2/"];

export interface Machine {
  readonly uid: () => number;
  readonly memory: () => number;
  readonly docker: (...words: string[]) => Promise<string>;
  /** whether anything answers there at all: a registry's 401 is an answer */
  readonly answers: (url: string) => Promise<boolean>;
}

export const thisMachine: Machine = {
  uid: () => process.getuid?.() ?? -1,
  memory: () => Number(/^MemTotal: +(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) / 1024,
  docker: (...words) => docker(words),
  answers: (url) =>
    fetch(url, { signal: AbortSignal.timeout(15_000) }).then(
      () => true,
      () => false,
    ),
};

/** Why not; "" = it can. */
export async function refusal(machine: Machine): Promise<string> {
  if (machine.uid() !== 0)
    return "it reads the logs of containers, which are root's. Run it as root: sudo npm run prove:full";
  const memory = Math.floor(machine.memory());
  if (!(memory >= MIB)) return `full needs ${MIB} MiB of memory, this machine has ${memory} MiB`;
  const asked = async (...words: string[]) => machine.docker(...words).catch(() => undefined);
  if ((await asked("version")) === undefined) return "no Docker engine answers";
  if ((await asked("compose", "version")) === undefined)
    return "docker compose is missing: apt-get install docker-compose-v2, or https://github.com/docker/compose/releases";
  const running = lines(
    (await asked("ps", "--all", "--filter", "label=hello-devops.monitoring", "--format", "{{.Names}}")) ?? "",
  );
  const kept = lines(
    (await asked("volume", "ls", "--filter", "label=hello-devops.monitoring", "--format", "{{.Name}}")) ?? "",
  );
  if (running.length + kept.length > 0)
    return `there is a monitoring on this machine already, which it would take down: ${[...running, ...kept].join(", ")}`;
  const silent: string[] = [];
  for (const url of registries) if (!(await machine.answers(url))) silent.push(new URL(url).host);
  return silent.length > 0 ? `images can't be pulled: ${silent.join(", ")} can't be reached` : "";
}
