import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { checkout } from "../bed/bed";
import { run } from "../bed/run";
import { program } from "./debian";

interface Alert {
  readonly alert: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}
interface RuleTest {
  readonly tests: { alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[] }[];
}

const monitoring = join(checkout, "monitoring");
const cases = join(__dirname, "rules");
const read = <T>(file: string) => parse(readFileSync(file, "utf8"), { merge: true }) as T;
const alerts = read<{ groups: { rules: Alert[] }[] }>(join(monitoring, "prometheus/rules/alerts.yml")).groups.flatMap(
  ({ rules }) => rules,
);
const names = alerts.map(({ alert }) => alert);

beforeAll(() => program("promtool"), 300_000);

test("Prometheus takes its configuration and its rules", async () => {
  const said = await run(await program("promtool"), ["check", "config", join(monitoring, "prometheus/prometheus.yml")]);
  expect(said).toContain("2 rule files found");
}, 60_000);

test.each(names)(
  "%s fires, says what it says, and resolves",
  async (name) => {
    const file = join(cases, `${name}.yml`);
    const looks = read<RuleTest>(file).tests.flatMap((it) => it.alert_rule_test ?? []);
    // promtool passes a file that looks at nothing: quiet before, firing, quiet after.
    expect(looks.every(({ alertname }) => alertname === name)).toBe(true);
    const fires = looks.map(({ exp_alerts }) => (exp_alerts?.length ?? 0) > 0);
    expect([fires[0], fires.includes(true), fires.at(-1)]).toEqual([false, true, false]);
    await run(await program("promtool"), ["test", "rules", file]);
  },
  60_000,
);

test.each(alerts)("$alert tells a person what to do, and its page is there", ({ alert, labels, annotations }) => {
  expect(["page", "ticket"]).toContain(labels.severity);
  expect(Object.keys(annotations)).toEqual(
    expect.arrayContaining(["summary", "threshold", "release", "dashboard", "first", "runbook_url"]),
  );
  expect(annotations.first).toMatch(/^1\. .+ 2\. .+ 3\. .+[.?]$/);
  expect(annotations.runbook_url).toBe(`https://github.com/org/hello-devops/blob/main/docs/runbooks/${alert}.md`);
  const page = readFileSync(join(checkout, "docs/runbooks", `${alert}.md`), "utf8");
  expect(page).toMatch(new RegExp(`^# ${alert}\n`));
  expect(page).toContain("```sh\n");
});

test("no page and no case is left of an alert that is gone", () => {
  const pages = readdirSync(join(checkout, "docs/runbooks")).filter((file) => file !== "README.md");
  expect(pages.map((file) => file.replace(".md", "")).sort()).toEqual([...names].sort());
  expect(
    readdirSync(cases)
      .map((file) => file.replace(".yml", ""))
      .sort(),
  ).toEqual([...names].sort());
});
