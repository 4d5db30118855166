import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { checkout } from "../bed/bed";
import { run } from "../bed/run";
import { program } from "./debian";

interface Service {
  readonly image: string;
  readonly mem_limit?: string;
  readonly restart?: string;
  readonly labels?: Record<string, string>;
  readonly healthcheck?: { test: string[] };
  readonly logging?: { driver: string; options: Record<string, string> };
  readonly network_mode?: string;
  readonly ports?: { host_ip?: string; published: string; target: number }[];
  readonly command?: string[];
  readonly networks?: Record<string, unknown>;
  readonly environment?: Record<string, string>;
  readonly secrets?: { source: string }[];
}
interface Config {
  readonly services: Record<string, Service>;
  readonly networks?: Record<string, { name: string }>;
  readonly volumes?: Record<string, { name: string }>;
}

const env = {
  ...process.env,
  MONITORING_SETTINGS: "/etc/hello-devops",
  MONITORING_HOST: "web-1",
  GRAFANA_URL: "http://web-1:3000",
  PROMETHEUS_URL: "http://web-1:9090",
  KIBANA_URL: "http://web-1:5601",
  SETTINGS_READ_ONCE: "0123456789abcdef",
};

async function configOf(profile: string): Promise<Config> {
  const file = join(checkout, "monitoring/compose.yaml");
  const words = ["--file", file, "--profile", profile, "config", "--format", "json"];
  return JSON.parse(await run(await program("compose"), words, { env })) as Config;
}

const profiles = ["metrics", "full"] as const;
const configs: Record<string, Config> = {};
beforeAll(async () => {
  await program("compose");
  for (const profile of profiles) configs[profile] = await configOf(profile);
}, 300_000);
const services = (profile: string) => Object.entries(configs[profile]?.services ?? {});

/** MiB that the containers of a profile may take together: what README.md's table says. */
const most = { metrics: 1024, full: 5120 };

test.each(profiles)("%s keeps within the memory that it says, part by part", (profile) => {
  const limits = services(profile).map(([name, { mem_limit }]) => [name, Number(mem_limit) / 1024 / 1024] as const);
  expect(limits.length).toBeGreaterThan(0);
  for (const [name, limit] of limits) expect({ name, bounded: limit > 0 }).toEqual({ name, bounded: true });
  expect(limits.reduce((sum, [, limit]) => sum + limit, 0)).toBeLessThanOrEqual(most[profile]);
});

test("core has no container, and full has all of metrics", async () => {
  const names = (profile: string) => services(profile).map(([name]) => name);
  expect(Object.keys((await configOf("core")).services)).toEqual([]);
  expect(names("metrics")).toContain("prometheus");
  expect(names("full")).toEqual(expect.arrayContaining(names("metrics")));
});

test("every part has an exact version, a cap on its log, and our label", () => {
  for (const [name, service] of services("full")) {
    expect({ name, image: service.image }).toEqual({
      name,
      image: expect.stringMatching(/:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/),
    });
    expect({ name, ...service }).toMatchObject({
      labels: { "hello-devops.monitoring": "true" },
      logging: { options: { "max-size": "10m", "max-file": "3" } },
    });
  }
});

test("every part that stays has a health check and is started again; the set-up of logs ends", () => {
  for (const [name, service] of services("full"))
    expect({ name, ...service }).toMatchObject(
      name === "logs-setup"
        ? { restart: "no" }
        : { restart: "unless-stopped", healthcheck: { test: expect.arrayContaining(["CMD"]) } },
    );
});

test("what keeps logs is not among the logs that it keeps", () => {
  const drivers = Object.fromEntries(services("full").map(([name, { logging }]) => [name, logging?.driver]));
  const kept = services("metrics").map(([name]) => [name, "json-file"]);
  const keepers = ["elasticsearch", "logstash", "kibana", "logs-setup"].map((name) => [name, "local"]);
  expect(drivers).toEqual(Object.fromEntries([...kept, ...keepers]));
});

test("a password comes as a file to the part that needs it, and to no other", () => {
  const secrets = services("full").flatMap(([name, { secrets = [] }]) => secrets.map(({ source }) => [source, name]));
  const readers = (secret: string) => secrets.filter(([source]) => source === secret).map(([, name]) => name);
  expect(readers("elastic-password").sort()).toEqual(["elasticsearch", "logs-setup"]);
  expect(readers("logstash-password").sort()).toEqual(["logs-setup", "logstash"]);
  expect(readers("kibana-password").sort()).toEqual(["kibana", "logs-setup"]);
  expect(readers("kibana-key")).toEqual(["kibana"]);
  expect(readers("operator-password")).toEqual(["logs-setup"]);
  for (const [name, { environment = {} }] of services("full"))
    for (const [variable, value] of Object.entries(environment))
      if (/password/i.test(variable))
        expect([name, variable, value]).toEqual([name, variable, expect.stringMatching(/^\/run\/secrets\//)]);
});

test("nothing has a label, a network or a volume by which a deploy would know it", () => {
  const { networks = {}, volumes = {} } = configs.full ?? {};
  for (const [, { labels = {} }] of services("full"))
    expect(Object.keys(labels)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^hello-devops\.(app|role)$/)]),
    );
  for (const { name } of Object.values(networks)) expect(name).not.toMatch(/^hello-devops-/);
  expect(Object.keys(volumes).length).toBeGreaterThan(0);
});

/** Where each listens: published ports, and what those on the host's own network are told. */
function listening(profile: string): string[] {
  return services(profile).flatMap(([, { ports = [], command = [], network_mode }]) => {
    const own =
      network_mode === "host"
        ? command
            .join(" ")
            .match(/web\.listen-address=(\S+)/)
            ?.slice(1)
        : [];
    return [...ports.map(({ host_ip = "0.0.0.0", published }) => `${host_ip}:${published}`), ...(own ?? [])];
  });
}

test("others reach Grafana 3000 and Prometheus 9090 alone, with full Kibana 5601, and Elasticsearch never", () => {
  const open = (profile: string) =>
    listening(profile)
      .filter((at) => !at.startsWith("127.0.0.1:"))
      .sort();
  expect(open("metrics")).toEqual(["0.0.0.0:3000", "0.0.0.0:9090"]);
  expect(open("full")).toEqual(["0.0.0.0:3000", "0.0.0.0:5601", "0.0.0.0:9090"]);
  expect(listening("metrics")).toEqual(expect.arrayContaining(["127.0.0.1:9093", "127.0.0.1:9100", "127.0.0.1:9101"]));
});
