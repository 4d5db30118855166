import type { BedHost } from "../bed/bed";
import { docker } from "../bed/run";

/** What a host is seen to do from outside, by means that share no code with the deploy. */
export interface Seen {
  /** the release that answers on the host's port, as its header says; undefined = no 200 */
  readonly serves: string | undefined;
  /** names of the app's running containers, the proxy apart */
  readonly running: readonly string[];
  /** all containers of the app, `name state policy` */
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly current: string;
  readonly journal: boolean;
  /** a guard holds the lock */
  readonly locked: boolean;
  readonly releases: readonly string[];
}

/** Runs a command in the box. */
export const inBox = (host: BedHost, ...command: string[]): Promise<string> =>
  docker(["exec", host.container, ...command]);

export async function lookAt(host: BedHost, app = "web"): Promise<Seen> {
  const folder = `/var/lib/hello-devops/${app}`;
  const script = `cd ${folder} 2>/dev/null || exit 0
echo "current=$(readlink current | sed 's,releases/,,')"
[ -e journal ] && echo journal=yes
[ -e lock ] && ! flock -n lock true && echo locked=yes
for r in releases/*/release.json; do [ -e "$r" ] && r=\${r%/release.json} && echo "release=\${r#releases/}"; done
true`;
  const [facts, containers, networks, serves] = await Promise.all([
    inBox(host, "bash", "-c", script),
    inBox(host, "docker", "ps", "-a", "--filter", `label=hello-devops.app=${app}`, "--format", "{{.Names}} {{.State}}"),
    inBox(host, "docker", "network", "ls", "--format", "{{.Name}}"),
    whoServes(host),
  ]);
  const values = (name: string) =>
    facts
      .split("\n")
      .filter((line) => line.startsWith(`${name}=`))
      .map((line) => line.slice(name.length + 1));
  const listed = containers.split("\n").filter((line) => line !== "");
  const withPolicy = await Promise.all(
    listed.map(async (line) => {
      const name = line.split(" ")[0] ?? "";
      const policy = await inBox(host, "docker", "inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", name).catch(
        () => "gone",
      );
      return `${line} ${policy.trim()}`;
    }),
  );
  return {
    serves,
    running: listed
      .filter((line) => line.endsWith(" running"))
      .map((line) => line.split(" ")[0] ?? "")
      .filter((name) => name !== `${app}-proxy`),
    containers: withPolicy.sort(),
    networks: networks.split("\n").filter((name) => name.startsWith("hello-devops")),
    current: values("current")[0] ?? "",
    journal: values("journal").length > 0,
    locked: values("locked").length > 0,
    releases: values("release").sort(),
  };
}

export async function whoServes(host: BedHost): Promise<string | undefined> {
  try {
    const answer = await fetch(`${host.url}/version`, { signal: AbortSignal.timeout(5_000) });
    await answer.text();
    return answer.status === 200 ? (answer.headers.get("x-release") ?? "?") : undefined;
  } catch {
    return undefined;
  }
}

/** Waits for a state; never for a time. */
export async function until(what: string, holds: () => Promise<boolean>, limit = 60_000): Promise<void> {
  const end = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limit / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What `docker inspect` in the box says of a container (or, by kind, of something else). */
export async function inspectInBox<T>(host: BedHost, name: string, format = "{{json .}}"): Promise<T> {
  return JSON.parse(await inBox(host, "docker", "inspect", "-f", format, name)) as T;
}

/** All that a deploy could change in the box: to be compared before and after. */
export const wholeState = (host: BedHost): Promise<string> =>
  inBox(
    host,
    "bash",
    "-c",
    `docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | sort
docker images --all --no-trunc --format '{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}' | sort
docker network ls --no-trunc --format '{{.ID}} {{.Name}}' | sort
docker volume ls --format '{{.Name}}' | sort
find /var/lib/hello-devops /home /root -printf '%p %y %m %u %g %s %T@ %l\\n' 2>/dev/null | sort
find /var/lib/hello-devops -type f -exec sha256sum {} + 2>/dev/null | sort`,
  );
