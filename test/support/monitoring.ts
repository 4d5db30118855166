import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BedHost, checkout } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { equip } from "../monitoring/stand-ins";
import { inBox } from "./outside";

/** Prometheus reads everything this often in the tests. */
export const SCRAPE = 2_000;
const FASTER = 10;

/** Rules whose minutes are 6 seconds. */
const quickRules = (text: string): string =>
  text
    .replace(/(?<=\[|for: |_wait: |_interval: )(\d+)([smh])\b/g, (_all, count: string, unit: string) => {
      const seconds = Number(count) * { s: 1, m: 60, h: 3600 }[unit as "s" | "m" | "h"];
      return `${Math.ceil(seconds / FASTER)}s`;
    })
    .replace("4 * 3600", `4 * ${3600 / FASTER}`);

const quickScrapes = (text: string): string =>
  text
    .replace(/((?:scrape|evaluation)_interval): \S+/g, `$1: ${SCRAPE / 1000}s`)
    .replace(/scrape_timeout: \S+/, `scrape_timeout: ${SCRAPE / 1000}s`)
    .replace(/refresh_interval: \S+/g, "refresh_interval: 1s");

/** monitoring/ with time made short and, if somebody listens, the webhook switched on. All else is as users get it. */
export function quickMonitoring(webhook: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), "monitoring-"));
  cpSync(join(checkout, "monitoring"), folder, { recursive: true });
  const change = (file: string, how: (text: string) => string) =>
    writeFileSync(join(folder, file), how(readFileSync(join(folder, file), "utf8")));
  change("compose.yaml", (text) => text.replace(/interval: 15s/g, "interval: 1s").replace(/@sha256:\w+/g, "")); // health checks; stand-ins have digests of their own
  change("prometheus/prometheus.yml", quickScrapes);
  for (const file of readdirSync(join(folder, "prometheus/rules"))) change(`prometheus/rules/${file}`, quickRules);
  const switchOn = (text: string) => text.replace(/^( +)# (webhook_configs:| {2}- url_file:)/gm, "$1$2");
  change("alertmanager/alertmanager.yml", (text) => quickRules(webhook ? switchOn(text) : text));
  return folder;
}

/** The profile metrics, without what can't be had here. */
export const metrics = ["metrics", "--without", "grafana,cadvisor"];

export const upIn = (host: BedHost, ...words: string[]): Promise<string> =>
  inBox(host, "/opt/monitoring/up.sh", ...words);

const settings = "/etc/hello-devops/alertmanager";

/** A new host with Compose, the images, and monitoring/ in it: all but the start. */
export async function prepare(host: BedHost, hook?: Webhook): Promise<void> {
  await resetHost(host);
  await equip(host);
  await inBox(host, "rm", "-rf", "/opt/monitoring", "/etc/hello-devops");
  const folder = quickMonitoring(hook !== undefined);
  await docker(["cp", folder, `${host.container}:/opt/monitoring`]);
  rmSync(folder, { recursive: true, force: true });
  if (!hook) return;
  await inBox(host, "install", "-D", "/opt/monitoring/alertmanager/alertmanager.yml", `${settings}/alertmanager.yml`);
  await hook.toldFrom(host);
}

export async function leave(host: BedHost): Promise<void> {
  await resetHost(host);
  await inBox(host, "rm", "-rf", "/opt/monitoring", "/etc/hello-devops", "/usr/local/lib/docker/cli-plugins");
  await inBox(host, "bash", "-c", "docker images -q 'prom/*' | sort -u | xargs -r docker rmi -f");
}

export interface Sample {
  readonly metric: Record<string, string>;
  readonly value: readonly [number, string];
  readonly values: readonly (readonly [number, string])[];
}

/** What the box's Prometheus answers to an instant query. */
export const query = (host: BedHost, promql: string): Promise<readonly Sample[]> =>
  ask(host, "query", { query: promql });

/** And over a time, in seconds since 1970. */
export const queryRange = (
  host: BedHost,
  promql: string,
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
): Promise<readonly Sample[]> =>
  ask(host, "query_range", { query: promql, start: String(from), end: String(to), step: String(step) });

async function ask(host: BedHost, path: string, words: Readonly<Record<string, string>>): Promise<readonly Sample[]> {
  const url = new URL(`/api/v1/${path}?${new URLSearchParams(words)}`, host.url);
  url.port = "9090";
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const { status, data } = (await answer.json()) as { status: string; data: { result: Sample[] } };
  if (status !== "success") throw new Error(`Prometheus refuses ${words.query}`);
  return data.result;
}

/** The longest time between two looks, in milliseconds. */
export const longestGap = (samples: readonly Sample[]): number => {
  const times = samples.flatMap(({ values }) => values.map(([at]) => at * 1000)).sort((a, b) => a - b);
  return Math.max(...times.slice(1).map((at, n) => at - (times[n] ?? 0)));
};

export const counts = async (host: BedHost, promql: string): Promise<number> =>
  (await query(host, promql).catch(() => [])).length;

export interface Told {
  readonly status: "firing" | "resolved";
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
}

/** A person's webhook: keeps what Alertmanager tells it. */
export class Webhook {
  readonly told: Told[] = [];
  readonly #server: Server;

  private constructor(private readonly address: string) {
    this.#server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part;
      });
      request.on("end", () => {
        this.told.push(...(JSON.parse(text) as { alerts: Told[] }).alerts);
        response.end();
      });
    }).listen(0);
  }

  /** At the address by which a box reaches this machine. */
  static async listen(host: BedHost): Promise<Webhook> {
    const route = await inBox(host, "ip", "route", "show", "default");
    const hook = new Webhook(/via (\S+)/.exec(route)?.[1] ?? "");
    await once(hook.#server, "listening");
    return hook;
  }

  get url(): string {
    return `http://${this.address}:${(this.#server.address() as { port: number }).port}/`;
  }

  /** Writes where it listens into a host's settings, as a person would. */
  async toldFrom(host: BedHost): Promise<void> {
    const write = `install -D -o 65534 -m 0600 /dev/null $0/webhook-url; printf %s "$1" >$0/webhook-url`;
    await inBox(host, "bash", "-c", write, settings, this.url);
  }

  of(alertname: string, status: Told["status"]): Told | undefined {
    return this.told.find((it) => it.labels.alertname === alertname && it.status === status);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
