// npm run demo:monitoring: what watches a host, seen at work: a deploy, a release that brings errors, the alert, the rollback.
// The files of monitoring/ as users get them, but for the time: it is looked every 2 s, and a minute of the rules is 6 s.
//   --keep           leaves the bed up and says where to look
//   --picture FILE   draws the graphs as an SVG, too
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BedHost, sshTo } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { run } from "../test/bed/run";
import { up } from "../test/bed/up";
import { equip } from "../test/monitoring/stand-ins";
import { type Asked, Load } from "../test/support/load";
import { longestGap, query, queryRange, quickMonitoring, SCRAPE, type Told, Webhook } from "../test/support/monitoring";
import { inBox, until } from "../test/support/outside";
import { type Frame, type Mark, printGraph } from "./demo/graph";
import { type Panel, picture } from "./demo/picture";
import { Play, runDemo, status } from "./demo/play";
import { bold, dim, say, table } from "./demo/screen";

const BED = "demo-monitoring";
const NOT_HERE = "grafana,cadvisor";
const { values } = parseArgs({ options: { keep: { type: "boolean" }, picture: { type: "string" } } });
/** When users had a release's answer for the first time, in milliseconds since 1970. */
const firstAnswers = new Map<string, number>();
let alerted = 0;

async function main(): Promise<number> {
  say(bold("hello-devops: what watches a host"));
  say(
    dim(
      "An EC2 host in a box and the programs of the monitoring are made first; the second time they are there already.",
    ),
  );
  say(
    dim(
      "Grafana and cAdvisor are left out: their images come from Docker Hub and ghcr.io, the rest is Debian's builds.",
    ),
  );
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  const hook = await Webhook.listen(host);
  try {
    await resetHost(host);
    await equip(host);
    const play = new Play(bed, host);
    await oneCommand(play, host, hook);
    const traffic = new Load(host.url, { keepAlive: 2, fresh: 1, pause: 100, path: "/", limit: 600_000, each: noted });
    const wrong = new Load(host.url, { keepAlive: 1, fresh: 0, pause: 300, path: "/fault/error", limit: 600_000 });
    try {
      await firstRelease(play, host);
      await deploySeen(play, host, traffic);
      await badRelease(play, hook);
    } finally {
      await Promise.all([traffic.stop(), wrong.stop()]);
    }
    await numbers(host);
    if (values.keep) whereToLook(host);
    return play.close();
  } finally {
    hook.close();
    if (!values.keep) await down(BED);
  }
}

const isUp = (host: BedHost, promql: string) => async (): Promise<boolean> =>
  (await query(host, promql).catch(() => [])).length > 0;

function noted({ release, to }: Asked): void {
  if (!firstAnswers.has(release)) firstAnswers.set(release, to);
}

/** What the guard on the host wrote down as it moved the traffic; Grafana draws these as lines. */
async function releaseMarks(host: BedHost): Promise<Mark[]> {
  const found = await query(host, "hello_devops_release_timestamp_seconds");
  return found.map(({ metric, value }) => [Number(value[1]), `${metric.event} ${metric.release}`] as const);
}

async function oneCommand(play: Play, host: BedHost, hook: Webhook): Promise<void> {
  play.scene(
    "One command",
    "monitoring/install.sh brings the folder to the host by ssh, looks at the machine, makes passwords, starts the profile.",
  );
  await hook.toldFrom(host);
  const folder = quickMonitoring(true);
  const ssh = `${sshTo(host)} -o BatchMode=yes`;
  const words = ["-e", ssh, `${host.user}@${host.address}`, "metrics", "--without", NOT_HERE];
  try {
    const said = await run(join(folder, "install.sh"), words);
    say(`  ${dim("host:")} ${said.split("\n").at(-1)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const running = await inBox(
    host,
    "docker",
    "ps",
    "--filter",
    "label=hello-devops.monitoring",
    "--format",
    "{{.Names}}",
  );
  const stats = await inBox(
    host,
    "docker",
    "stats",
    "--no-stream",
    "--format",
    "{{.Name}}\t{{.MemUsage}}",
    ...running.split("\n"),
  );
  table([
    ["container", "memory / limit"],
    ...stats.split("\n").map((line) => line.replace("hello-devops-monitoring-", "").split("\t")),
  ]);
  const well = running.split("\n").length;
  play.claim("Prometheus, Alertmanager, node-exporter and the door to Docker run", `${well} containers`, well === 4);
}

async function firstRelease(play: Play, host: BedHost): Promise<void> {
  play.scene(
    "A release appears by itself",
    "Nothing is configured for an app: Prometheus finds its containers and its proxy by the labels of the deploy.",
  );
  const ended = await play.start("good1", "v1", { env: "FAULTS=off" }).ended;
  await until("v1 has a rate", isUp(host, `app_release:http_requests:rate1m{release="v1"} > 0`));
  await until("its proxy has, too", isUp(host, `app:proxy_requests:rate1m{app="web"} > 0`));
  const rate = (await query(host, `app:proxy_requests:rate1m{app="web"}`))[0]?.value[1];
  play.claim(
    "v1 and its proxy are watched",
    `${status(ended)}; ${Number(rate).toFixed(0)} requests a second`,
    Number(rate) > 0,
  );
}

async function deploySeen(play: Play, host: BedHost, traffic: Load): Promise<void> {
  play.scene(
    "A deploy, as Prometheus sees it",
    "Both releases are there while a deploy has two; nobody tells Prometheus which one lives.",
  );
  const started = Date.now();
  const before = traffic.result.failed;
  await play.start("good2", "v2", { "bake-time": "5s" }).ended;
  await until("v1 is seen no more", async () => (await query(host, `up{job="app"}`)).length === 1);
  const failed = traffic.result.failed - before;
  play.claim("requests failed", failed, failed === 0);
  await until("its mark is there", isUp(host, `hello_devops_release_timestamp_seconds{event="deploy",release="v2"}`));
  const [mark] = (await releaseMarks(host)).find(([, text]) => text === "deploy v2") ?? [0];
  const late = mark - (firstAnswers.get("v2") ?? 0) / 1000;
  play.claim("its mark, from users' first answer", `${late.toFixed(2)} s`, Math.abs(late) < 1);
  const window = Math.ceil((Date.now() - started) / 1000);
  const gaps = await Promise.all(
    [`up{job="app",release="v2"}`, `up{job="proxy"}`].map(async (series) =>
      longestGap(await query(host, `${series}[${window}s]`)),
    ),
  );
  play.claim(
    "the longest time between two looks",
    `${(Math.max(...gaps) / 1000).toFixed(1)} s, one every ${SCRAPE / 1000} s`,
    Math.max(...gaps) < 2 * SCRAPE,
  );
}

async function badRelease(play: Play, hook: Webhook): Promise<void> {
  play.scene(
    "A release that brings errors",
    "v3 is healthy, and answers one path in the traffic with a 500. The gates saw nothing; the alert does.",
  );
  await play.start("good1", "v3", { env: "FAULTS=on" }).ended;
  await until("AppErrors fires", async () => hook.of("AppErrors", "firing") !== undefined, 120_000);
  const told = hook.of("AppErrors", "firing") as Told;
  alerted = Date.now() / 1000;
  for (const name of ["summary", "threshold", "release", "by_release", "first", "dashboard", "runbook_url"])
    say(`  ${dim(`${name}:`)} ${told.annotations[name]}`);
  play.claim(
    "the alert names the release",
    told.annotations.by_release ?? "nothing",
    /v3 [\d.]+%/.test(told.annotations.by_release ?? ""),
  );
  const ended = await play.rollBack({ reason: "AppErrors" }).ended;
  await until("AppErrors resolves", async () => hook.of("AppErrors", "resolved") !== undefined, 240_000);
  play.claim(
    "it is over after the rollback",
    `${status(ended)}; ${(await play.look()).serves} serves`,
    (await play.look()).serves === "v2",
  );
}

/** The same as the dashboard has, as text. */
async function numbers(host: BedHost): Promise<void> {
  const marks = [...(await releaseMarks(host)), [alerted, "AppErrors"] as const].sort(([one], [other]) => one - other);
  const [began, now] = [marks[0]?.[0] ?? 0, Date.now() / 1000];
  const step = Math.max(2, Math.ceil((now - began) / 100));
  const frame = { from: Math.floor(began / step) * step, to: Math.floor(now / step) * step, step };
  const panels = await Promise.all([
    panel(host, "requests a second, by release", "app_release:http_requests:rate1m", frame),
    panel(host, "errors a second, by release", "app_release:http_errors:rate1m", frame),
  ]);
  for (const { title, series } of panels) {
    say();
    printGraph(title, series, frame, marks);
  }
  if (values.picture) writeFileSync(values.picture, picture(panels, frame, marks));
  const p95 = await query(host, `max_over_time(app_release:http_request_duration_seconds:p95_rate5m[10m])`);
  say();
  table([
    ["release", "highest p95"],
    ...p95.map(({ metric, value }) => [metric.release ?? "", `${(Number(value[1]) * 1000).toFixed(0)} ms`]),
  ]);
}

async function panel(host: BedHost, title: string, record: string, frame: Frame): Promise<Panel> {
  const series = (await queryRange(host, record, frame)).map(({ metric, values }) => ({
    name: metric.release ?? "",
    values: new Map(values.map(([at, value]) => [at, Number(value)])),
  }));
  return { title, series: series.sort((one, other) => one.name.localeCompare(other.name)) };
}

function whereToLook(host: BedHost): void {
  const prometheus = new URL(host.url);
  prometheus.port = "9090";
  say();
  say("The bed stays up.");
  say(`  the app:       ${host.url}`);
  say(`  Prometheus:    ${prometheus.href}query?g0.expr=app_release%3Ahttp_requests%3Arate1m&g0.tab=graph`);
  say(`  traffic:       npm run load -- --url ${host.url} --for 5m`);
  say(`  take it away:  npm run bed -- down --name ${BED}`);
}

runDemo(main);
