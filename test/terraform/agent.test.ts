import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, jest } from "@jest/globals";
import { checkout } from "../bed/bed";
import { tool } from "../workflows/tools";
import { type Agent, type Dimensions, emitted, type Metric, told } from "./emitted";
import { type Rendered, rendered } from "./rendered";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";

// Alarms and dashboard against what the agent on the host sends, with the configuration that the user data brings it.
jest.setTimeout(300_000);

const INSTANCE = "i-0123456789abcdef0"; // tests/mocks
const test = (title: string, look: () => unknown) => withTerraform(titled(title), look as () => Promise<void>);

interface Alarm {
  readonly alarm_name: string;
  readonly arn: string;
  readonly namespace: string;
  readonly metric_name: string;
  readonly dimensions: Dimensions;
}

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly properties: {
    readonly metrics?: readonly (readonly string[])[];
    readonly alarms?: readonly string[];
    readonly query?: string;
  };
}

const systems = { "a host": { name: "shop" }, "a host with a data volume": { name: "shop", data_volume_size: 10 } };
const titles = Object.keys(systems);
let made: readonly Rendered[] = [];

beforeAll(async () => {
  if (missing === "") made = await rendered(...Object.values(systems));
});

describe.each(titles)("%s", (title) => {
  const mounts = title === "a host" ? ["/"] : ["/", "/data"];
  const system = () => made[titles.indexOf(title)] as Rendered;
  const text = () => system().files["/opt/aws/amazon-cloudwatch-agent/etc/hello-devops.json"]?.content ?? "";
  const agent = () => JSON.parse(text()) as Agent;
  const alarms = () =>
    ["usage", "status"].flatMap((name) => system().all<Alarm>(`aws_cloudwatch_metric_alarm.${name}`));
  const widgets = () => {
    const [{ dashboard_body: body } = { dashboard_body: "" }] = system().all<{ dashboard_body: string }>(
      "aws_cloudwatch_dashboard.this",
    );
    return (JSON.parse(body) as { widgets: readonly Widget[] }).widgets;
  };

  test("has an agent whose configuration the agent's own schema takes", async () => {
    expect(await refusals(text())).toBe("");
  });

  test("sends these metrics and no more: fewer than the 10 that an account has free", () => {
    const byInstance = [
      "cpu_usage_active",
      "disk_used_percent",
      "mem_used_percent",
      "net_bytes_recv",
      "net_bytes_sent",
    ];
    const expected = [
      ...byInstance.map((name) => ({ name, dimensions: { InstanceId: INSTANCE } })),
      ...mounts.map((path) => ({ name: "disk_used_percent", dimensions: { InstanceId: INSTANCE, path } })),
    ].map((metric) => told({ namespace: "HelloDevOps/EC2", ...metric }));
    expect(emitted(agent(), { id: INSTANCE, mounts }).map(told).sort()).toEqual(expected.sort());
    expect(expected.length).toBeLessThan(10);
  });

  test("has alarms on metrics that are sent, equal to the letter", () => {
    const sent = new Set(emitted(agent(), { id: INSTANCE, mounts }).map(told));
    const watched = alarms().map(({ namespace, metric_name: name, dimensions }) => ({ namespace, name, dimensions }));
    const ours = watched.filter(({ namespace }) => namespace !== "AWS/EC2").map(told);
    expect(ours.filter((metric) => !sent.has(metric))).toEqual([]);
    expect(ours).toHaveLength(2 + mounts.length);
    expect(watched.filter(({ namespace }) => namespace === "AWS/EC2")).toEqual([
      { namespace: "AWS/EC2", name: "StatusCheckFailed", dimensions: { InstanceId: INSTANCE } },
    ]);
  });

  test("has a dashboard of 6 widgets that show what is sent, every alarm, and the host's own logs", () => {
    const sent = new Set(emitted(agent(), { id: INSTANCE, mounts }).map(told));
    const shown = widgets().flatMap(({ properties: { metrics = [] } }) => metrics.map(metricOf));
    const [group] = system().all<{ name: string }>("aws_cloudwatch_log_group.this");
    expect(widgets()).toHaveLength(6);
    expect(new Set(widgets().map(({ x, y }) => `${x},${y}`)).size).toBe(6);
    expect(shown.map(told).filter((metric) => !sent.has(metric))).toEqual([]);
    expect(new Set(shown.map(({ name }) => name))).toEqual(
      new Set(emitted(agent(), { id: INSTANCE, mounts }).map(({ name }) => name)),
    );
    expect(
      widgets()
        .flatMap(({ properties: { alarms: arns = [] } }) => arns)
        .sort(),
    ).toEqual(
      alarms()
        .map(({ arn }) => arn)
        .sort(),
    );
    expect(widgets().flatMap(({ properties: { query = [] } }) => query)).toEqual([
      expect.stringMatching(`^SOURCE '${group?.name}' `),
    ]);
  });

  test("sends the log of its first boot, Docker's and every container's, each with the instance's name, to the one group", () => {
    const [group] = system().all<{ name: string }>("aws_cloudwatch_log_group.this");
    const sources = agent().logs.logs_collected.files.collect_list;
    expect(sources.map(({ file_path }) => file_path)).toEqual([
      "/var/log/cloud-init-output.log",
      "/var/log/hello-devops.log",
      "/var/lib/docker/containers/*/*-json.log",
    ]);
    for (const source of sources) {
      expect(source.log_group_name).toBe(group?.name);
      expect(source.log_stream_name).toMatch(/^\{instance_id\}\/\w/);
      expect(source).not.toHaveProperty("retention_in_days"); // Terraform's: the instance's role may not set it
    }
    expect(sources[2]).toHaveProperty("publish_multi_logs", true);
  });
});

test("the agent's schema refuses what the agent would", async () => {
  const agent = made[0]?.files["/opt/aws/amazon-cloudwatch-agent/etc/hello-devops.json"]?.content ?? "";
  expect(await refusals(agent.replace('"measurement"', '"measurements"'))).toContain("measurement");
  expect(await refusals(agent.replace('"file_path"', '"path"'))).toContain("file_path");
});

function metricOf([namespace = "", name = "", ...pairs]: readonly string[]): Metric {
  const keys = pairs.filter((_, index) => index % 2 === 0);
  return {
    namespace,
    name,
    dimensions: Object.fromEntries(keys.map((key, index) => [key, pairs[2 * index + 1] ?? ""])),
  };
}

/** What the agent's schema has against a configuration; blank = nothing. */
async function refusals(configuration: string): Promise<string> {
  const program = await tool("check-jsonschema");
  const schema = join(checkout, "test", "fixtures", "amazon-cloudwatch-agent", "schema.json");
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-agent-"));
  try {
    const file = join(folder, "agent.json");
    writeFileSync(file, configuration);
    execFileSync(program, ["--schemafile", schema, file], { encoding: "utf8", stdio: "pipe" });
    return "";
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (!stdout) throw error;
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
