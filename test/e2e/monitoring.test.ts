// Not run here, for their images can't be had: Grafana, cAdvisor. What can: everything else of the profile metrics.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { checkout, sshTo } from "../bed/bed";
import { docker, run } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { Load } from "../support/load";
import { counts, leave, longestGap, metrics, prepare, query, type Sample, SCRAPE, upIn } from "../support/monitoring";
import { inBox, until } from "../support/outside";
import { Quick } from "../support/quick";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);

const up = (...words: string[]) => upIn(host, ...words);
const parts = (format: string): Promise<string> =>
  inBox(host, "docker", "ps", "--filter", "label=hello-devops.monitoring", "--format", `{{.Names}} ${format}`);
const isUp = (job: string) => async (): Promise<boolean> => (await counts(host, `up{job="${job}"} == 1`)) > 0;

beforeAll(() => prepare(host), 600_000);
afterAll(() => leave(host), 120_000);

const withoutCompose = (command: string): string =>
  `mv /usr/local/lib/docker/cli-plugins /run/away; ${command}; mv /run/away /usr/local/lib/docker/cli-plugins`;
/** Compose's release, as GitHub would have it. */
const ofMine = `mkdir -p /run/release; cd /run/release; f=docker-compose-linux-$(uname -m); \
  cp /usr/local/lib/docker/cli-plugins/docker-compose $f; sha256sum -b $f >$f.sha256;`;

const refusals: readonly [what: string, command: string, said: string][] = [
  ["a profile that there is not", "/opt/monitoring/up.sh large", 'expected core, metrics or full, got "large"'],
  [
    "a machine that is too small",
    "echo 'MemTotal: 980000 kB' >/run/small; MEMINFO=/run/small /opt/monitoring/up.sh metrics",
    "metrics needs 1800 MiB of memory, this machine has 957 MiB; nothing was started",
  ],
  [
    "a port that is taken",
    "socat TCP-LISTEN:9090,reuseaddr,fork EXEC:true >/dev/null 2>&1 & until ss -Hltn 'sport = :9090' | grep -q . || ! kill -0 $!; do :; done; /opt/monitoring/up.sh metrics; kill $!",
    "port 9090, which prometheus needs, is taken; nothing was started",
  ],
  [
    "a host without Compose that can't get it, and says what to do",
    `${withoutCompose("COMPOSE_FROM=file:///nowhere /opt/monitoring/up.sh metrics")}`,
    "docker compose could not be had from there; nothing was started. Ubuntu: apt-get install docker-compose-v2",
  ],
  [
    "a Compose that is not what its checksum says",
    `${ofMine} echo torn >>docker-compose-linux-$(uname -m); ${withoutCompose("COMPOSE_FROM=file://$PWD /opt/monitoring/up.sh metrics")}`,
    "docker compose could not be had from there; nothing was started",
  ],
  ["a part that there is not", "/opt/monitoring/up.sh metrics --without kibana", 'metrics has no "kibana"; it has '],
];

test.each(refusals)(
  "up.sh refuses %s, and starts nothing",
  async (_what, command, said) => {
    expect(await inBox(host, "bash", "-c", `{ ${command}; } 2>&1 || true`)).toContain(said);
    expect(await inBox(host, "docker", "ps", "-aq")).toBe("");
  },
  60_000,
);

test("up.sh gets Compose by itself where the host has none, once", async () => {
  const start = (words: string) =>
    inBox(
      host,
      "bash",
      "-c",
      `${ofMine} ${withoutCompose(`${words} /opt/monitoring/up.sh metrics --without grafana,cadvisor`)}`,
    );
  expect(await start("COMPOSE_FROM=file://$PWD")).toMatch(
    /taking file:\/\/\/run\/release\/docker-compose.*metrics is up/s,
  );
  expect(await start("COMPOSE_FROM=file:///nowhere")).toMatch(/^monitoring: metrics is up/);
  await inBox(
    host,
    "bash",
    "-c",
    "/opt/monitoring/up.sh --down; rm -r /run/release /opt/docker-compose-*; rm /etc/hello-devops/monitoring",
  );
}, 180_000);

test("install.sh puts it on a host by ssh, and a file that a newer checkout has no more is gone", async () => {
  const local = mkdtempSync(join(tmpdir(), "monitoring-"));
  cpSync(join(checkout, "monitoring"), local, { recursive: true });
  const files = () => inBox(host, "bash", "-c", "cd /opt/hello-devops/monitoring && find . -type f | sort");
  const ssh = `${sshTo(host)} -o BatchMode=yes`;
  const install = (...words: string[]) =>
    run(join(local, "install.sh"), ["-e", ssh, `${host.user}@${host.address}`, ...words]);
  try {
    writeFileSync(join(local, "prometheus/rules/mine.yml"), "groups: []\n");
    expect(await install("core")).toContain("monitoring: core is the CloudWatch agent alone");
    expect(await files()).toContain("./prometheus/rules/mine.yml");
    rmSync(join(local, "prometheus/rules/mine.yml"));
    await install();
    expect(await files()).toBe((await run("bash", ["-c", 'cd "$0" && find . -type f | sort', local])).trim());
    await expect(install("metrics", "--without", "a'b")).rejects.toThrow(`metrics has no "a'b"`);
  } finally {
    rmSync(local, { recursive: true });
    await inBox(host, "/opt/hello-devops/monitoring/up.sh", "--down");
    await inBox(host, "rm", "-rf", "/opt/hello-devops");
  }
}, 180_000);

test("up.sh starts the profile that the host's file names, and again changes nothing", async () => {
  await inBox(host, "bash", "-c", "mkdir -p /etc/hello-devops; echo metrics >/etc/hello-devops/monitoring");
  await up("--without", "grafana,cadvisor");
  const password = "/etc/hello-devops/secrets/grafana-admin-password";
  const look = async () => [
    await parts("{{.ID}} {{.Status}}").then((text) => text.replace(/ Up .*(?=\(healthy\))/g, " ")),
    await inBox(host, "cat", password),
  ];
  const before = await look();
  expect(before[0]?.match(/\(healthy\)/g)).toHaveLength(4);
  expect(await inBox(host, "stat", "-c", "%a %u", password)).toBe("600 472");
  await up("--without", "grafana,cadvisor");
  expect(await look()).toEqual(before);
}, 180_000);

test("what reads its settings only once is made anew when they change, and nothing else", async () => {
  const ids = async () => Object.fromEntries((await parts("{{.ID}}")).split("\n").map((line) => line.split(" ")));
  const before = await ids();
  await inBox(host, "bash", "-c", "echo '# changed' >>/opt/monitoring/docker-api/haproxy.cfg");
  await up("--without", "grafana,cadvisor");
  const after = await ids();
  const changed = Object.keys(before).filter((name) => before[name] !== after[name]);
  expect(changed).toEqual(["hello-devops-monitoring-docker-api-1"]);
}, 60_000);

test("full makes each password a file of its reader, once, though its images can't be had here", async () => {
  const secrets = async () => {
    const names = ["elastic-password", "logstash-password", "kibana-password", "kibana-key", "operator-password"];
    const files = names.map((name) => `/etc/hello-devops/secrets/${name}`);
    const stats = await inBox(host, "stat", "-c", "%n %a %u", ...files);
    return { stats: stats.replace(/^.*\//gm, "").split("\n"), values: await inBox(host, "cat", ...files) };
  };
  await expect(up("full")).rejects.toThrow();
  const first = await secrets();
  expect(first.stats).toEqual([
    "elastic-password 600 1000",
    "logstash-password 600 0",
    "kibana-password 600 1000",
    "kibana-key 600 1000",
    "operator-password 600 0",
  ]);
  expect(new Set(first.values.split("\n")).size).toBe(5);
  await expect(up("full")).rejects.toThrow();
  expect(await secrets()).toEqual(first);
  const lost =
    "docker volume create hello-devops-monitoring_elasticsearch; rm /etc/hello-devops/secrets/elastic-password";
  await inBox(host, "bash", "-c", lost);
  await expect(up("full")).rejects.toThrow("Elasticsearch has data, and a password that is lost");
  await inBox(host, "docker", "volume", "rm", "hello-devops-monitoring_elasticsearch");
}, 180_000);

test("what lets Prometheus find containers answers nothing else", async () => {
  const socket = "/var/lib/docker/volumes/hello-devops-monitoring_docker-api/_data/docker.sock";
  const ask = (...words: string[]) =>
    inBox(host, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", socket, ...words);
  expect(
    await Promise.all(["/v1.41/containers/json", "/networks", "/_ping"].map((it) => ask(`http://docker${it}`))),
  ).toEqual(["200", "200", "200"]);
  const others = [
    "/images/json",
    "/containers/json?all=1",
    "/v1.41/containers/x/json",
    "/info",
    "/containers/json/../../info",
  ];
  expect(await Promise.all(others.map((it) => ask("--path-as-is", `http://docker${it}`)))).toEqual(
    others.map(() => "403"),
  );
  expect(await ask("-X", "POST", "http://docker/containers/create")).toBe("403");
});

test("a deploy under load leaves no gap in what is scraped, and touches nothing of the monitoring", async () => {
  await quick.deployed("good1");
  await until("the app is scraped", isUp("app"));
  await until("the proxy is scraped", isUp("proxy"));
  const before = await parts("{{.ID}} {{.CreatedAt}}");
  const load = new Load(host.url, { keepAlive: 2, fresh: 1, pause: 20 });
  await quick.deployed("good2", { "bake-time": "5s" });
  await until("only the new release is there", async () => (await counts(host, `up{job="app"}`)) === 1);
  const { failed } = await load.stop();
  expect(failed).toBe(0);
  const [good1, good2] = [
    await query(host, `up{job="app",release="good1"}[2m]`),
    await query(host, `up{job="app",release="good2"}[2m]`),
  ];
  const proxy = await query(host, `up{job="proxy"}[2m]`);
  for (const samples of [good1, good2, proxy]) expect(longestGap(samples)).toBeLessThan(2 * SCRAPE);
  const at = (samples: readonly Sample[], n: number) => samples[0]?.values.at(n)?.[0] ?? Number.NaN;
  expect(at(good2, 0)).toBeLessThan(at(good1, -1));
  expect(good2[0]?.metric).toMatchObject({ app: "web", release: "good2", instance: "web-good2" });
  expect(good2[0]?.values.every(([, value]) => value === "1")).toBe(true);
  expect(await parts("{{.ID}} {{.CreatedAt}}")).toBe(before);
}, 180_000);

test("a line of an app, and of its proxy, says in the host's log file whose it is", async () => {
  const attrs = async (container: string) => {
    const script = 'head -n 1 "$(docker inspect -f "{{.LogPath}}" "$0")"';
    return (JSON.parse(await inBox(host, "bash", "-c", script, container)) as { attrs: unknown }).attrs;
  };
  expect(await attrs("web-good2")).toEqual({
    "hello-devops.app": "web",
    "hello-devops.release": "good2",
    tag: "web-good2",
  });
  expect(await attrs("web-proxy")).toEqual({ "hello-devops.app": "web", tag: "web-proxy" });
});

test("after a reboot all of it comes back by itself, with what it knew", async () => {
  const oldest = async () => (await query(host, "prometheus_tsdb_lowest_timestamp_seconds"))[0]?.value[1];
  const before = await oldest();
  expect(Number(before)).toBeGreaterThan(0);
  await docker(["restart", host.container]);
  await inBox(host, "bed-ctl", "wait");
  const since = Date.now() / 1000; // what was scraped before counts for 5 minutes
  const again = (job: string) => async () =>
    (await counts(host, `up{job="${job}"} == 1 and timestamp(up{job="${job}"}) > ${since}`)) > 0;
  for (const job of ["app", "proxy", "node", "alertmanager", "prometheus"])
    await until(`${job} is scraped again`, again(job));
  expect(await oldest()).toBe(before);
}, 180_000);

test("a backup put back after all data are lost is what it was; the app serves meanwhile", async () => {
  const oldest = async () =>
    Number((await query(host, "min_over_time(timestamp(up{job='proxy'})[2h:10s])"))[0]?.value[1]);
  const load = new Load(host.url, { keepAlive: 1, fresh: 1, pause: 50 });
  const since = await oldest();
  await inBox(host, "/opt/monitoring/backup.sh", "/root/monitoring.tar.gz");
  await up("--down");
  await inBox(host, "bash", "-c", "docker volume ls -q | grep '^hello-devops-monitoring_' | xargs docker volume rm");
  await up(...metrics);
  await until("it begins anew", async () => (await oldest()) > since);
  await inBox(host, "/opt/monitoring/backup.sh", "--restore", "/root/monitoring.tar.gz");
  await until("it knows again", async () => Math.abs((await oldest().catch(() => Number.NaN)) - since) < 15);
  expect(await inBox(host, "stat", "-c", "%a", "/root/monitoring.tar.gz")).toBe("600");
  await inBox(host, "rm", "/root/monitoring.tar.gz");
  expect((await load.stop()).failures).toEqual([]);
}, 240_000);

test("a part that is left out stops, core stops all that is there, as down does, and the data stay", async () => {
  await up("metrics", "--without", "grafana,cadvisor,alertmanager");
  expect(await parts("")).not.toContain("alertmanager");
  await up("core");
  expect(await parts("")).toBe("");
  await up(...metrics);
  await up("--down");
  expect(await parts("")).toBe("");
  expect(await inBox(host, "docker", "volume", "ls", "-q")).toContain("hello-devops-monitoring_prometheus");
}, 120_000);
