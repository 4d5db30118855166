import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { checkout } from "../bed/bed";
import { run } from "../bed/run";
import { program } from "./debian";

const folder = mkdtempSync(join(tmpdir(), "alertmanager-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => program("amtool"), 300_000);

const templates = join(checkout, "monitoring/alertmanager/templates");
const config = readFileSync(join(checkout, "monitoring/alertmanager/alertmanager.yml"), "utf8");

/** As an operator would: the marks before its lines go. */
const withReceivers = config.replace(/^( +)# (?= *(- url_file|- to|\w+_configs|\w+:))/gm, "$1");

test.each([
  ["as it is installed", config, "1 receivers"],
  ["with both ways to tell switched on", withReceivers, "1 receivers"],
])(
  "Alertmanager takes the configuration %s",
  async (_what, text, found) => {
    const file = join(folder, "alertmanager.yml");
    writeFileSync(file, text.replace("/etc/alertmanager-templates", templates));
    const said = await run(await program("amtool"), ["check-config", file]);
    expect(said).toContain(found);
    expect(said).toContain("1 templates");
  },
  30_000,
);

test("what was switched on is a webhook and a mail", () => {
  expect(withReceivers).toMatch(/^ {4}webhook_configs:\n {6}- url_file:/m);
  expect(withReceivers).toMatch(/^ {4}email_configs:\n {6}- to:/m);
});

const alert = (status: string) => ({
  status,
  labels: { alertname: "AppErrors", app: "shop", host: "web-1" },
  annotations: {
    summary: "shop on web-1 answers 50% of its requests with an error",
    threshold: "5 % over 5 minutes",
    release: "v1, v2",
    by_release: "v1 0%, v2 50%",
    first: "1. Look. 2. Look. 3. Look.",
    dashboard: "http://web-1:3000/d/app",
    runbook_url: "https://example.test/AppErrors.md",
  },
  startsAt: "2026-11-24T03:04:05Z",
  endsAt: "2026-11-24T03:14:05Z",
  generatorURL: "http://web-1:9090/graph",
});

async function rendered(status: "firing" | "resolved", name: string): Promise<string> {
  const file = join(folder, "data.json");
  const { labels } = alert(status);
  writeFileSync(
    file,
    JSON.stringify({
      receiver: "operator",
      status,
      alerts: [alert(status)],
      groupLabels: { alertname: labels.alertname },
      commonLabels: labels,
      commonAnnotations: {},
      externalURL: "",
    }),
  );
  const words = ["--template.glob", `${templates}/*.tmpl`, "--template.text", `{{ template "${name}" . }}`];
  return run(await program("amtool"), ["template", "render", ...words, "--template.data", file]);
}

test("the text says what, since when, threshold, release, where to look and what to do", async () => {
  expect(await rendered("firing", "hello-devops.subject")).toBe("[FIRING] AppErrors shop on web-1");
  expect((await rendered("firing", "hello-devops.text")).split("\n")).toEqual([
    "shop on web-1 answers 50% of its requests with an error",
    "Since:     2026-11-24 03:04:05 UTC",
    "Threshold: 5 % over 5 minutes",
    "Release:   v1, v2",
    "Errors of: v1 0%, v2 50%",
    "First:     1. Look. 2. Look. 3. Look.",
    "Graphs:    http://web-1:3000/d/app",
    "Query:     http://web-1:9090/graph",
    "Runbook:   https://example.test/AppErrors.md",
  ]);
}, 30_000);

test("a resolved one says when it was over", async () => {
  expect(await rendered("resolved", "hello-devops.subject")).toBe("[RESOLVED] AppErrors shop on web-1");
  expect(await rendered("resolved", "hello-devops.text")).toContain("\nOver since 2026-11-24 03:14:05 UTC.\n");
}, 30_000);
