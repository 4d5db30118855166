// What the parts of the profile full are told: that it fits together, and what each may do.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { checkout } from "../bed/bed";
import { queryOf, type SavedObject, savedObjects } from "./saved-objects";

const monitoring = join(checkout, "monitoring");
const text = (file: string) => readFileSync(join(monitoring, file), "utf8");
const yaml = (file: string) => parse(text(`elasticsearch/${file}`), { merge: true });
const STREAM = "logs-containers-default";
const setup = text("elasticsearch/setup.sh");

test("each file for Elasticsearch is what the set-up brings it, under the name that the others use", () => {
  const brought = [...setup.matchAll(/put (\S+) <"\$here\/(\S+)"/g)].map(([, path, file]) => [file, path]);
  expect(Object.fromEntries(brought)).toEqual({
    "lifecycle.yml": "_ilm/policy/hello-devops-logs",
    "pipeline.yml": "_ingest/pipeline/hello-devops-logs",
    "index-template.yml": "_index_template/hello-devops-logs",
    "writer-role.yml": "_security/role/hello-devops-logs-writer",
  });
  const files = readdirSync(join(monitoring, "elasticsearch")).filter((file) => file.endsWith(".yml"));
  expect(brought.map(([file]) => file).sort()).toEqual(files.sort());
  // Elasticsearch knows YAML by its first line, whatever the header says.
  for (const file of files) expect(text(`elasticsearch/${file}`)).toMatch(/^---\n/);
  for (const file of files) expect(text(`elasticsearch/${file}`)).not.toMatch(/: [&*]\w/); // it knows no anchors
  const { index } = yaml("index-template.yml").template.settings;
  expect([index.default_pipeline, index.lifecycle.name]).toEqual(["hello-devops-logs", "hello-devops-logs"]);
});

test("the template is for the stream that Logstash writes to, before Elastic's own, and takes no field that it does not know", () => {
  const { index_patterns, priority, data_stream, template } = yaml("index-template.yml");
  const fits = index_patterns.map((pattern: string) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(STREAM));
  expect({ fits, data_stream }).toEqual({ fits: [true], data_stream: {} });
  expect(priority).toBeGreaterThan(100);
  expect(template.mappings.dynamic).toBe(false);
  expect(text("logstash/logstash.conf")).toContain(`index => "${STREAM}"`);
});

test("the life of an index is bounded by size and by age, and ends", () => {
  const { hot, delete: end } = yaml("lifecycle.yml").policy.phases;
  expect(hot.actions.rollover).toEqual({ max_age: "1d", max_primary_shard_size: "1gb" });
  expect(end).toEqual({ min_age: "7d", actions: { delete: {} } });
});

test("Logstash may add documents to the one stream, and nothing else", () => {
  expect(yaml("writer-role.yml")).toEqual({
    cluster: ["monitor"],
    indices: [{ names: [STREAM], privileges: ["create_doc"] }],
  });
  expect(text("logstash/logstash.conf")).toMatch(/user => "logstash_writer"\n.*password => "\$\{LOGSTASH_PASSWORD\}"/);
});

test("Kibana's objects refer to objects that are there, and to fields that are mapped", () => {
  const known = savedObjects.map(({ type, id }) => `${type} ${id}`);
  for (const { references } of savedObjects)
    for (const { type, id } of references) expect(known).toContain(`${type} ${id}`);
  const { properties } = yaml("index-template.yml").template.mappings;
  const mapped = (field: string) =>
    field.split(".").reduce((at, name) => at?.[name] ?? at?.properties?.[name], properties) !== undefined;
  const fields = savedObjects.flatMap((object) => [
    ...((object.attributes.columns as string[] | undefined) ?? []),
    ...[...queryOf(object).matchAll(/([\w.@]+):/g)].map(([, field = ""]) => field),
    ...aggregated(object),
  ]);
  expect(fields).toEqual(expect.arrayContaining(["level", "requestId", "tags", "@timestamp"]));
  expect(fields.filter((field) => !mapped(field))).toEqual([]);
});

function aggregated({ attributes }: SavedObject): string[] {
  const { aggs = [] } = JSON.parse((attributes.visState as string | undefined) ?? "{}") as {
    aggs?: { params: { field?: string } }[];
  };
  return aggs.flatMap(({ params }) => params.field ?? []);
}

test("the data view shows the stream by time, and each panel of the dashboard is one of the objects", () => {
  const [view] = savedObjects.filter(({ type }) => type === "index-pattern");
  expect(view?.attributes).toMatchObject({ title: "logs-containers-*", timeFieldName: "@timestamp" });
  const [dashboard] = savedObjects.filter(({ type }) => type === "dashboard");
  const panels = JSON.parse(dashboard?.attributes.panelsJSON as string) as {
    panelIndex: string;
    panelRefName: string;
  }[];
  expect(panels).toHaveLength(4);
  const names = panels.map(({ panelIndex, panelRefName }) => `${panelIndex}:${panelRefName}`);
  expect(dashboard?.references.map(({ name }) => name)).toEqual(names);
});
