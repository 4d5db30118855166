// Each graph's question is put to the real Prometheus, after a day in small: deploys under load, a rollback, a release that
// turns bad. Grafana and cAdvisor can't be had here: what asks for cAdvisor's series is only parsed.
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { myHost, theBed } from "../support/bed";
import { filledIn, type Query, queries } from "../support/dashboards";
import { type Asked, Load } from "../support/load";
import { leave, metrics, prepare, query, type Sample, upIn } from "../support/monitoring";
import { inBox, until } from "../support/outside";
import { There } from "../support/rollback";

const bed = theBed();
const host = myHost(bed);
const there = new There(bed, host);
const faults = { env: "FAULTS=on" };
/** how far a mark may be from what its users saw, in milliseconds */
const NEAR = 2_000;

const asked: Asked[] = [];
let loads: Load[] = [];

beforeAll(async () => {
  await prepare(host);
  await upIn(host, ...metrics);
  await there.deployed("good1", faults);
  const light = { keepAlive: 1, fresh: 0, limit: 900_000 };
  loads = [
    new Load(host.url, { ...light, fresh: 1, pause: 20, each: (one) => asked.push(one) }),
    new Load(host.url, { ...light, pause: 300, path: "/fault/error" }),
    new Load(host.url, { ...light, pause: 300, path: "/fault/slow?ms=50" }),
  ];
}, 600_000);
afterAll(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await leave(host);
}, 120_000);

const marks = (event: string, release: string): Promise<readonly Sample[]> =>
  query(host, `hello_devops_release_timestamp_seconds{app="web",event="${event}",release="${release}"} * 1000`);

/** When Prometheus knows it: the mark, in milliseconds since 1970. */
async function marked(event: string, release: string): Promise<number> {
  await until(`Prometheus knows of ${event} ${release}`, async () => (await marks(event, release)).length > 0);
  return Number((await marks(event, release))[0]?.value[1]);
}

/** When users had the first answer of a release, of those that were asked for since. */
function firstAnswer(release: string, since: number): number {
  const first = asked.find(({ from, release: by }) => from >= since && by === release);
  if (!first) throw new Error(`${release} has answered nobody`);
  return first.to;
}

const isNear = (mark: number, seen: number) => expect(Math.abs(mark - seen)).toBeLessThan(NEAR);

test("a deploy under load leaves its mark at the second in which users had the new release's first answer", async () => {
  const since = Date.now();
  await there.deployed("good2", { ...faults, "bake-time": "3s" });
  isNear(await marked("deploy", "good2"), firstAnswer("good2", since));
}, 120_000);

test("a rollback leaves its mark, too", async () => {
  const since = Date.now();
  await there.wentBack();
  isNear(await marked("rollback", "good1"), firstAnswer("good1", since));
}, 120_000);

test("of a deploy that fails in its bake, both are marked: that it came, and what was put back", async () => {
  const since = Date.now();
  const ended = await there.deploy("turnsbad", { "bake-time": "30s" });
  expect(ended.outputs.status).toBe("rolled-back");
  const came = firstAnswer("turnsbad", since);
  isNear(await marked("deploy", "turnsbad"), came);
  isNear(
    await marked("put-back", "good1"),
    firstAnswer("good1", asked.findLast(({ release }) => release === "turnsbad")?.to ?? came),
  );
}, 180_000);

test("what was put back by the guard alone, its runner killed, is marked as well", async () => {
  const step = there.start("good2", { ...faults, "bake-time": "120s", lease: "5s" });
  await until("it has traffic", async () => asked.at(-1)?.release === "good2");
  const before = await marked("put-back", "good1");
  step.child.kill("SIGKILL");
  await step.ended;
  await until("Prometheus knows that it was put back", async () => (await marked("put-back", "good1")) > before);
  const last = asked.findLast(({ release }) => release === "good2")?.to ?? 0;
  isNear(await marked("put-back", "good1"), last);
}, 120_000);

test("node-exporter reads the marks without an error, as a user that may do nothing", async () => {
  expect((await query(host, "node_textfile_scrape_error == 0")).length).toBe(1);
  expect(await inBox(host, "stat", "-c", "%a %U", "/var/lib/hello-devops/textfile_collector")).toBe("2775 root");
});

const isCadvisors = ({ expr }: Query) => expr.includes('job="cadvisor"');
const ask = ({ expr }: Query) => query(host, filledIn(expr, "web", "1m"));
const says = (samples: readonly Sample[]) => samples.some(({ value }) => !Number.isNaN(Number(value[1])));

test.each(queries.filter((one) => !isCadvisors(one)))(
  "$where: shows something",
  async (one) => {
    await until(`${one.expr} has an answer`, async () => says(await ask(one)), 30_000);
  },
  60_000,
);

test.each(queries.filter(isCadvisors))("$where: is parsed, and not run: cAdvisor can't be had here", async (one) => {
  expect(await ask(one)).toEqual([]);
});

test("which release has which slot is what users get by their headers", async () => {
  const { expr = "" } = queries.find(({ where }) => where.startsWith("proxy: Responses by release")) ?? {};
  const live = async () =>
    (await query(host, `${filledIn(expr, "web", "10s")} > 0`)).map(({ metric }) => metric.release);
  await until("only the live release answers", async () => [...new Set(await live())].join() === "good1");
  expect(asked.at(-1)?.release).toBe("good1");
}, 60_000);
