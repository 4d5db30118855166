// Grafana itself can't be had here: what it reads is looked at, and each query is run in test/e2e/monitoring-dashboards.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { checkout } from "../bed/bed";
import { run } from "../bed/run";
import { dashboards, filledIn, labelValues, queries } from "../support/dashboards";
import { program } from "./debian";

const monitoring = join(checkout, "monitoring");
const read = <T>(file: string) => parse(readFileSync(join(monitoring, file), "utf8"), { merge: true }) as T;
const names = Object.keys(dashboards);
const of = (name: string) => {
  const found = dashboards[name];
  if (!found) throw new Error(`no dashboard ${name}`);
  return found;
};

beforeAll(() => program("promtool"), 300_000);

test("there is a dashboard for the app, the proxy and the host, each under its file's name, where Grafana looks for it", () => {
  expect(names.sort()).toEqual(["app", "host", "proxy"]);
  for (const name of names) expect(of(name).uid).toBe(name);
  const { providers } = read<{ providers: { options: { path: string } }[] }>(
    "grafana/provisioning/dashboards/files.yaml",
  );
  const { services } = read<{ services: { grafana: { volumes: string[] } } }>("compose.yaml");
  expect(services.grafana.volumes).toContain(`./grafana/dashboards:${providers[0]?.options.path}:ro`);
});

test.each(names)(
  "%s: every panel has an id and a place of its own, and says what it shows and in which unit",
  (name) => {
    const { panels } = of(name);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const panel of panels.filter(({ type }) => type !== "row")) {
      expect(panel).toMatchObject({
        title: expect.stringMatching(/./),
        description: expect.stringMatching(/\.$/),
        fieldConfig: { defaults: { unit: expect.stringMatching(/./) } },
        targets: expect.arrayContaining([expect.objectContaining({ expr: expect.any(String) })]),
      });
    }
  },
);

test.each(names)("%s: whatever asks, asks the data source that is provisioned", (name) => {
  const { datasources } = read<{ datasources: { uid: string; type: string }[] }>(
    "grafana/provisioning/datasources/prometheus.yaml",
  );
  const provisioned = datasources.map(({ type, uid }) => ({ type, uid }));
  const { panels, annotations, templating } = of(name);
  const asking = [...panels.filter(({ type }) => type !== "row"), ...annotations.list, ...templating.list];
  expect(asking.length).toBeGreaterThan(0);
  for (const { datasource } of asking) expect(provisioned).toContainEqual(datasource);
});

test.each(["app", "proxy"])("%s shows when a release was deployed, rolled back to, and put back", (name) => {
  const events = of(name).annotations.list.map(({ target }) => /event="([^"]+)"/.exec(target.expr)?.[1]);
  expect(events).toEqual(["deploy", "rollback", "put-back"]);
  for (const { target, useValueForTime } of of(name).annotations.list) {
    expect(useValueForTime).toBe(true);
    expect(target.expr).toMatch(/\* 1000$/); // Grafana counts in milliseconds
  }
});

test("the dashboard that an alert's link leads to is there, and has the variable that the link sets", () => {
  const { groups } = read<{ groups: { rules: { annotations: { dashboard: string } }[] }[] }>(
    "prometheus/rules/alerts.yml",
  );
  const links = groups.flatMap(({ rules }) => rules.map(({ annotations }) => annotations.dashboard));
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) {
    const [, uid = "", variable] = /\/d\/(\w+)(?:\?var-(\w+)=)?/.exec(link) ?? [];
    expect(names).toContain(uid);
    if (variable) expect(of(uid).templating.list.map(({ name }) => name)).toContain(variable);
  }
});

test("Prometheus' own parser takes every query", async () => {
  const rules = queries.map(({ expr }, n) => ({ record: `query_${n}`, expr: filledIn(expr, "web", "1m") }));
  expect(rules.length).toBeGreaterThan(50);
  const said = await run(await program("promtool"), ["check", "rules", "--lint=none"], {
    input: JSON.stringify({ groups: [{ name: "dashboards", rules }] }), // JSON is YAML
  });
  expect(said).toContain(`SUCCESS: ${rules.length} rules found`);
}, 60_000);

test("every variable asks for the values of a label", () => {
  const asked = Object.values(dashboards).flatMap(({ templating }) => templating.list);
  expect(asked.map(({ query }) => labelValues(query.query).label)).toEqual(["app", "release", "app"]);
});
