import { spawn } from "node:child_process";
import type { BedHost } from "../../test/bed/bed";
import { inBox } from "../../test/support/outside";
import { node24, startStep } from "../../test/support/runner";

/** Milliseconds that the bundle takes more than bare Node, until it has refused a step without inputs. */
export async function bundleStart(rounds: number): Promise<number[]> {
  const more: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bare = await took(() => ended(spawn(node24, ["-e", "0"], { stdio: "ignore" })));
    const bundle = await took(() => ended(startStep("deploy-ec2", {}).child));
    more.push(bundle - bare);
  }
  return more;
}

async function took(what: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await what();
  return performance.now() - startedAt;
}

const ended = (child: ReturnType<typeof spawn>): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => resolve());
  });

export interface Resident {
  /** megabytes of the proxy's container, as Docker counts it */
  readonly proxy: number;
  /** the same with its share of the pages of its program and libraries, which the host can drop and read again (Pss) */
  readonly mapped: number;
  /** command lines of ours that still run, the proxy and the app apart */
  readonly others: readonly string[];
}

/** What is left running on the host once a deploy has ended. */
export async function resident(host: BedHost, app = "web"): Promise<Resident> {
  const script = `for p in $(docker top ${app}-proxy -eo pid | tail -n +2); do cat /proc/$p/smaps_rollup; done |
  awk '$1 == "Pss:" { sum += $2 } END { print "pss", sum }'
ps -eo args | grep -E '[b]ash --norc --noprofile -s|[d]ial-stdio|[d]ocker system' | sed 's/^/other /'
docker ps --format 'container {{.Names}}'
docker stats --no-stream --format 'stats {{.MemUsage}}' ${app}-proxy`;
  const lines = (await inBox(host, "bash", "-c", script)).split("\n");
  const values = (kind: string) =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  const containers = values("container").filter((name) => name !== `${app}-proxy`);
  const others = [...values("other"), ...(containers.length > 1 ? containers : [])];
  const [, amount, unit] = /^([\d.]+)(KiB|MiB)/.exec(values("stats")[0] ?? "") ?? [];
  const proxy = unit === "KiB" ? Number(amount) / 1024 : Number(amount);
  return { proxy, mapped: Number(values("pss")[0]) / 1024, others };
}
