// The pipeline, the mappings and the searches of the profile full, with real lines of the sample app. In place of Elasticsearch
// stands OpenSearch, which has the same processors and the same script language; in place of Logstash its own pattern (log-lines.ts).
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import request from "supertest";
import { sampleApp } from "../app/sample";
import { checkout } from "../bed/bed";
import { attrsOf, jsonFile, together, type Written } from "./log-lines";
import { missing, OpenSearch } from "./opensearch";
import { savedSearch } from "./saved-objects";

interface Line {
  readonly "@timestamp": string;
  readonly message: string;
  readonly [field: string]: unknown;
}

const read = (file: string) => readFileSync(join(checkout, "monitoring/elasticsearch", file), "utf8");
const stream = "logs-containers-default";
const id = "0123456789abcdef".repeat(4);
let store: OpenSearch;

/** The template without what OpenSearch has not: life cycle, index modes, failure store. Its `flattened` has another name. */
const template = (): string =>
  read("index-template.yml")
    .replace(/^ +(mode|lifecycle): .*\n/gm, "")
    .replace(/^ +data_stream_options:\n.*\n/m, "")
    .replace(/type: flattened, [^}]+/, "type: flat_object ");

async function bring(...written: Written[]): Promise<void> {
  await bringEvents(together(written.flatMap(jsonFile)));
}

async function bringEvents(messages: string[]): Promise<void> {
  const path = `/var/lib/docker/containers/${id}/${id}-json.log`;
  const events = messages.map((message) => ({
    "@timestamp": new Date().toISOString(),
    "@version": "1",
    host: "web-1",
    path,
    message,
  }));
  const body = events.map((event) => `{"create":{}}\n${JSON.stringify(event)}\n`).join("");
  const { items } = await store.ask<{ items: { create: { error?: unknown } }[] }>(
    "POST",
    `${stream}/_bulk?refresh=true`,
    body,
    "x-ndjson",
  );
  expect(items.flatMap(({ create }) => create.error ?? [])).toEqual([]);
}

async function find(query: string): Promise<Line[]> {
  const body = JSON.stringify({ size: 100, sort: ["@timestamp"], query: { query_string: { query } } });
  const { hits } = await store.ask<{ hits: { hits: { _source: Line }[] } }>("POST", `${stream}/_search`, body);
  return hits.hits.map(({ _source }) => _source);
}

const proof = missing ? test.skip : test;

beforeAll(async () => {
  if (missing) return;
  store = await OpenSearch.start();
  await store.ask("PUT", "_ingest/pipeline/hello-devops-logs", read("pipeline.yml"), "yaml");
  await store.ask("PUT", "_index_template/hello-devops-logs", template(), "yaml");
  await store.ask("PUT", `_data_stream/${stream}`);
}, 300_000);
afterAll(() => store?.stop());

proof("a request's line is found by its release and its id, with all that the app said of it", async () => {
  const { app, lines } = sampleApp({ version: "v7", faulty: true });
  await request(app)
    .get("/fault/error")
    .set("X-Request-Id", "req-1")
    .set("traceparent", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`);
  await bring(...lines.map((line) => ({ text: JSON.stringify(line), attrs: attrsOf("shop", "v7") })));
  const found = await find("release: v7 AND requestId: req-1");
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({
    "@timestamp": lines[0]?.time,
    app: "shop",
    release: "v7",
    container: "shop-v7",
    host: "web-1",
    stream: "stdout",
    level: "error",
    message: "GET /fault/error 500",
    status: 500,
    traceId: "a".repeat(32),
    err: { type: "Error", stack: expect.stringMatching(/^Error: an error on purpose.*\n {4}at /) },
  });
  expect(found[0]).not.toHaveProperty("tags");
  expect(found[0]).not.toHaveProperty("fields.release");
});

proof("a stack trace is one document, with its cause; the line after it is another", async () => {
  const program = `console.error(new Error("boom <&>", { cause: new TypeError("why") })); console.error("next")`;
  const { stderr: text } = spawnSync(process.execPath, ["-e", program], { encoding: "utf8" });
  await bring({ text, stream: "stderr", attrs: attrsOf("shop", "v8") });
  const found = await find("release: v8");
  expect(found.map(({ message }) => message).sort()).toEqual([text.replace(/\nnext\n$/, ""), "next"].sort());
  expect(found.map(({ message }) => message.split("\n").length > 5)).toContain(true);
  expect(found[0]).toMatchObject({ stream: "stderr", container: "shop-v8" });
});

proof(
  "a `time` that is no date is a field, and the line has Docker's time; milliseconds since 1970 are a date",
  async () => {
    const times = [35, 1764194400, "12:03", { start: 1 }];
    for (const [n, time] of times.entries())
      await bring({ text: JSON.stringify({ msg: `odd ${n}`, time }), attrs: attrsOf("shop", "v10") });
    const ms = Date.UTC(2026, 10, 26, 12);
    await bring({ text: JSON.stringify({ msg: "even", time: ms }), attrs: attrsOf("shop", "v10") });
    const found = await find("release: v10");
    const [even] = found.filter(({ message }) => message === "even");
    expect(Date.parse(String(even?.["@timestamp"]))).toBe(ms);
    const odd = found.filter(({ message }) => message.startsWith("odd"));
    expect(odd.map(({ fields }) => (fields as { time: unknown }).time)).toEqual(expect.arrayContaining(times));
    for (const line of odd) expect(String(line["@timestamp"])).not.toMatch(/^1970/);
  },
);

proof("what is no JSON object is kept as it came, and tagged", async () => {
  const plain = ["listening on 5000", "17 birds", "null", '["a"]', '{"msg":"torn', "", "  indented at the start"];
  for (const text of plain) await bring({ text, attrs: attrsOf("shop", "v9") });
  const found = await find("release: v9");
  expect(found.map(({ message }) => message).sort()).toEqual([...plain].sort());
  expect(found.map(({ tags }) => tags)).toEqual(plain.map(() => ["_unparsed"]));
});

proof("a line that Docker itself left torn is kept, too, and its container is known by its log's path", async () => {
  await bringEvents(['{"log":"{\\"msg\\":\\"to']);
  expect(await find('container: "0123456789ab" AND tags: _unparsed')).toMatchObject([
    { message: '{"log":"{\\"msg\\":\\"to' },
  ]);
});

proof(
  "an app that names things its own way loses nothing: what has another type than the mapping goes to fields",
  async () => {
    const said = {
      level: { n: 1 },
      status: "fine",
      ms: "3 ms",
      err: "no luck",
      requestId: 17,
      time: "soon",
      msg: ["a"],
      basket: { id: "b-1" },
    };
    await bring({ text: JSON.stringify(said), attrs: attrsOf("shop", "v10"), time: "2026-11-24T03:04:05.123456789Z" });
    const [line] = await find("release: v10");
    expect(line).toMatchObject({
      "@timestamp": "2026-11-24T03:04:05.123456789Z", // what the app says is no time: Docker's stands
      requestId: "17",
      err: { message: "no luck" },
      fields: { level: { n: 1 }, status: "fine", ms: "3 ms", msg: ["a"], basket: { id: "b-1" } },
    });
    expect(await find("fields.basket.id: b\\-1")).toEqual([line]);
  },
);

proof("the app's own time counts, as text or in milliseconds", async () => {
  await bring(
    { text: '{"time":"2026-11-24T01:00:00.500+01:00","msg":"text"}', attrs: attrsOf("shop", "v11") },
    { text: '{"time":1795500000500,"msg":"number"}', attrs: attrsOf("shop", "v11") },
  );
  const found = Object.fromEntries((await find("release: v11")).map((line) => [line.message, line["@timestamp"]]));
  expect(found).toEqual({ text: "2026-11-24T00:00:00.500Z", number: new Date(1795500000500).toISOString() });
});

proof("each saved search finds its lines, and no others", async () => {
  const attrs = attrsOf("shop", "v12");
  await bring(
    { text: '{"level":"info","msg":"quiet","requestId":"req-12"}', attrs },
    { text: '{"level":"fatal","msg":"loud"}', attrs },
    { text: '{"level":"warn","msg":"caught","err":{"type":"Error","message":"m","stack":"s"}}', attrs },
    { text: "plain", attrs },
  );
  const finds = async (title: string) => {
    const query = savedSearch(title).replace(/ or /g, " OR "); // Kibana's language has it in lower case
    return (await find(`release: v12 AND (${query})`)).map(({ message }) => message).sort();
  };
  expect(await finds("Errors of a release")).toEqual(["caught", "loud"]);
  expect(await finds("One request, by its id")).toEqual(["quiet"]);
  expect(await finds("What could not be parsed")).toEqual(["plain"]);
});
