// Rules, Prometheus and Alertmanager as users get them, but for the time: a minute of the rules is 6 seconds.
// ContainerMemory has unit tests only: its numbers are cAdvisor's, which can't be had here.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { myHost, theBed } from "../support/bed";
import { Load } from "../support/load";
import { leave, metrics, prepare, query, upIn, Webhook } from "../support/monitoring";
import { inBox, until } from "../support/outside";
import { Quick } from "../support/quick";

const bed = theBed();
const host = myHost(bed);
const MEMORY = 3 * 1024 ** 3;
let hook: Webhook;

beforeAll(async () => {
  hook = await Webhook.listen(host);
  await prepare(host, hook);
  await upIn(host, ...metrics);
  await new Quick(bed, host).deployed("good2", { env: "FAULTS=on" });
}, 600_000);
afterAll(async () => {
  hook?.close();
  await leave(host);
}, 120_000);

/** The limit of the real rule would need nearly all of this machine's memory: it moves to half of what the test will take away. */
async function moveMemoryLimit(): Promise<void> {
  const has = async (name: string) =>
    Number(await inBox(host, "awk", `/^${name}:/ { print $2 * 1024 }`, "/proc/meminfo"));
  const limit = ((await has("MemAvailable")) - MEMORY / 2) / (await has("MemTotal"));
  const rules = "/opt/monitoring/prometheus/rules/alerts.yml";
  await inBox(host, "sed", "-i", `s/_MemTotal_bytes < [0-9.]*/_MemTotal_bytes < ${limit.toFixed(4)}/`, rules);
  await upIn(host, ...metrics); // which has Prometheus read it again
}

const fires = (alert: string) => until(`${alert} fires`, async () => hook.of(alert, "firing") !== undefined, 180_000);
const resolves = (alert: string) =>
  until(`${alert} resolves`, async () => hook.of(alert, "resolved") !== undefined, 240_000);

test("errors, slow answers, a disk and a memory that fill up: each alerts by its text, and resolves when it is over", async () => {
  const alerts = ["AppErrors", "AppSlow", "DiskFullSoon", "HostMemory"];
  expect(hook.told.map(({ labels }) => labels.alertname).filter((name) => alerts.includes(name ?? ""))).toEqual([]);
  await moveMemoryLimit();
  const loads = [
    new Load(host.url, { keepAlive: 2, fresh: 0, pause: 300, path: "/fault/error", limit: 300_000 }),
    new Load(host.url, { keepAlive: 6, fresh: 0, path: "/fault/slow?ms=2000", limit: 300_000 }),
    new Load(host.url, { keepAlive: 1, fresh: 0, pause: 300, limit: 300_000 }),
  ];
  await inBox(host, "bed-ctl", "disk", "fill", String(2 * 1024 * 1024));
  const hog = `perl -e '$held = "x" x ${MEMORY}; sleep 300' >/dev/null 2>&1 & echo $! >/run/hog`;
  await inBox(host, "bash", "-c", hog);
  try {
    for (const alert of alerts) await fires(alert);
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
    await inBox(host, "bed-ctl", "disk", "clear");
    await inBox(host, "bash", "-c", "kill $(cat /run/hog)");
  }
  expect(hook.of("AppErrors", "firing")).toMatchObject({
    labels: { app: "web", host: expect.stringMatching(/./), severity: "page" },
    annotations: {
      summary: expect.stringMatching(/^web on \S+ answers [\d.]+% of its requests with an error$/),
      release: "good2",
      by_release: expect.stringMatching(/^good2 [\d.]+%$/),
      runbook_url: expect.stringMatching(/AppErrors\.md$/),
    },
  });
  expect(hook.of("AppErrors", "firing")?.labels).not.toHaveProperty("grafana");
  expect(hook.of("AppSlow", "firing")?.annotations.summary).toMatch(
    /^One request in 20 to web \(good2\) .* longer than 2\.\d+s$/,
  );
  expect(hook.of("DiskFullSoon", "firing")?.labels).toMatchObject({ mountpoint: "/var/lib" });
  for (const alert of alerts) await resolves(alert);
}, 600_000);

test("an app that ends again and again alerts, though Docker starts it each time", async () => {
  const started = async () => (await query(host, `process_start_time_seconds{job="app"}`))[0]?.value[1];
  for (let time = 0; time < 3; time++) {
    const last = await started();
    await inBox(host, "bash", "-c", "kill -KILL $(docker inspect -f '{{.State.Pid}}' web-good2)");
    await until("the new start is seen", async () => ((await started()) ?? last) !== last);
  }
  await fires("AppRestarts");
  expect(hook.of("AppRestarts", "firing")?.annotations.summary).toMatch(/^web \(good2\) on \S+ was restarted 3 times/);
  await resolves("AppRestarts");
}, 420_000);

test("an app that is stopped, and a part that is gone, alert, and resolve as they come back", async () => {
  const node = "hello-devops-monitoring-node-exporter-1";
  await inBox(host, "docker", "stop", "web-good2", node);
  await fires("AppDown");
  await fires("TargetDown");
  expect(hook.of("AppDown", "firing")?.annotations.release).toBe("good2 (in the last 15 minutes)");
  expect(hook.of("TargetDown", "firing")?.annotations.summary).toMatch(/^node on \S+ does not answer Prometheus$/);
  await inBox(host, "docker", "start", "web-good2", node);
  await resolves("AppDown");
  await resolves("TargetDown");
}, 420_000);
