import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { BedHost } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { judge, settled } from "../support/judge";
import { leftBehind } from "../support/leftovers";
import { Load, type LoadResult } from "../support/load";
import { inBox, inspectInBox, lookAt } from "../support/outside";
import { good, Quick } from "../support/quick";
import type { Inputs, Step } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);

beforeAll(() => resetHost(host), 120_000);
afterAll(() => resetHost(host), 60_000);

const apps = ["web", "shop"] as const;
type App = (typeof apps)[number];
const ports: Record<App, string> = { web: "80", shop: "8080" };
const doorOf = (app: App): BedHost => ({ ...host, url: `${host.url}:${ports[app]}` });

/** Of each, in this order, at once. */
const both = <T>(body: (app: App) => Promise<T>): Promise<T[]> => Promise.all(apps.map(body));

const start = (app: App, image: string, version: string, more: Inputs = {}): Step =>
  quick.start(image, { app, "http-port": ports[app], version, "drain-timeout": "3s", "bake-time": "2s", ...more });

const loads = () => apps.map((app) => new Load(doorOf(app).url, { keepAlive: 3, fresh: 2, pause: 5 }));
const ended = (running: readonly Load[]): Promise<LoadResult[]> => Promise.all(running.map((load) => load.stop()));

/** Both hold their locks at the same moment, so neither waits for the other. */
async function sideBySide(steps: readonly Step[]): Promise<void> {
  await Promise.all(steps.map((step) => step.reaches("start")));
  expect(await both(async (app) => (await lookAt(host, app)).locked)).toEqual([true, true]);
}

/** The committed versions, after the judge has found nothing wrong with either app. */
async function theyServe(): Promise<string[]> {
  await both((app) => settled(host, undefined, app));
  const verdicts = await both((app) => judge(doorOf(app), app));
  expect(verdicts.map(({ wrong }) => wrong)).toEqual([[], []]);
  expect(await leftBehind(host, apps)).toEqual([]);
  return verdicts.map(({ version }) => version);
}

/** What a deploy of the other app must not touch. */
async function partsOf(app: App) {
  const network = await inspectInBox<{ Id: string; Containers: Record<string, { Name: string }> }[]>(
    host,
    `hello-devops-${app}`,
    "[{{json .}}]",
  );
  const proxy = await inspectInBox<{ Id: string; State: { StartedAt: string } }>(host, `${app}-proxy`);
  const history = (await inBox(host, "cat", `/var/lib/hello-devops/${app}/history`)).trim().split("\n");
  const { containers, releases } = await lookAt(host, app);
  const inNetwork = Object.values(network[0]?.Containers ?? {}).map(({ Name }) => Name);
  return {
    made: [network[0]?.Id, proxy.Id, proxy.State.StartedAt],
    inNetwork: inNetwork.sort(),
    committed: history
      .map((line) => JSON.parse(line))
      .filter(({ result }) => result !== "failed")
      .map(({ release }) => release),
    containers,
    releases,
  };
}

test("two apps come to a new host at the same moment, each with a network, a proxy and a state of its own", async () => {
  const steps = [start("web", "echo1", "web-1"), start("shop", "good1", "shop-1")];
  await sideBySide(steps);
  for (const step of steps) good(await step.ended);
  expect(await theyServe()).toEqual(["web-1", "shop-1"]);
  for (const app of apps)
    expect(await partsOf(app)).toMatchObject({
      inNetwork: [`${app}-${app}-1`, `${app}-proxy`].sort(),
      committed: [`${app}-1`],
      containers: [`${app}-${app}-1 running always`, `${app}-proxy running always`].sort(),
      releases: [`${app}-1`],
    });
}, 90_000);

test("both are upgraded at the same moment without a failed request, and neither answers for the other", async () => {
  const before = await both(partsOf);
  const running = loads();
  const steps = [start("web", "echo2", "web-2"), start("shop", "good2", "shop-2")];
  await sideBySide(steps);
  for (const step of steps) good(await step.ended);
  const results = await ended(running);
  for (const { failed, failures } of results) expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(results.map(({ byRelease }) => Object.keys(byRelease).sort())).toEqual([
    ["web-1", "web-2"],
    ["shop-1", "shop-2"],
  ]);
  expect(await theyServe()).toEqual(["web-2", "shop-2"]);
  for (const [n, app] of apps.entries())
    expect(await partsOf(app)).toMatchObject({
      made: before[n]?.made,
      inNetwork: [`${app}-${app}-2`, `${app}-proxy`].sort(),
      committed: [`${app}-1`, `${app}-2`],
      releases: [`${app}-1`, `${app}-2`],
    });
}, 90_000);

test("one app's release fails its gate while the other's is committed, and no request of either fails", async () => {
  const before = await partsOf("shop");
  const running = loads();
  const steps = [start("web", "echo1", "web-3"), start("shop", "broken", "shop-3", { "start-timeout": "3s" })];
  await sideBySide(steps);
  const [web, shop] = await Promise.all(steps.map((step) => step.ended));
  expect(web?.outputs).toMatchObject({ status: "deployed", release: "web-3" });
  expect(shop?.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "probe" });
  for (const { failed, failures } of await ended(running))
    expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(await theyServe()).toEqual(["web-3", "shop-2"]);
  expect(await partsOf("shop")).toEqual(before);
}, 90_000);
