import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import { otherSlot, renderConfig, renderMap, type Seat } from "../../../src/host/proxy/config";

jest.setTimeout(60_000);
const HAPROXY = "haproxy:3.0.11";
const settings = {
  responseTimeout: 60_000,
  tunnelTimeout: 3_600_000,
  drainTimeout: 30_000,
  releaseHeader: "X-Release",
};
const blue: Seat = { slot: "blue", container: "web-1a2b3c", port: 5000 };
const green: Seat = { slot: "green", container: "web-4d5e6f", port: 8080 };

const servers = (config: string) => config.split("\n").filter((line) => line.startsWith("  server "));
const backend = (config: string) => config.slice(config.indexOf("\nbackend app") + 1);

test("sends nothing anywhere before the first release", () => {
  expect(servers(renderConfig(settings, undefined))).toEqual([
    "  server blue blue.invalid:80 disabled",
    "  server green green.invalid:80 disabled",
  ]);
});

test("sends everything to the committed release's container by its name, in its slot", () => {
  expect(servers(renderConfig(settings, blue))).toEqual([
    "  server blue web-1a2b3c:5000",
    "  server green green.invalid:5000 disabled",
  ]);
  expect(servers(renderConfig(settings, green))).toEqual([
    "  server blue blue.invalid:8080 disabled",
    "  server green web-4d5e6f:8080",
  ]);
  expect([otherSlot("blue"), otherSlot("green")]).toEqual(["green", "blue"]);
});

test("takes the app's own release header away before it sets the true one", () => {
  const lines = backend(renderConfig(settings, blue)).split("\n");
  expect(lines[1]).toBe("  http-response del-header X-Release");
  expect(lines[2]).toBe("  http-response set-header X-Release %[srv_name,map(/state/current/slots.map)]");
});

test("sets no header when it is turned off, and still loads the map", () => {
  const config = backend(renderConfig({ ...settings, releaseHeader: "" }, blue));
  expect(config).not.toMatch(/-header/);
  expect(config).toContain("map(/state/current/slots.map)");
});

test("writes the timeouts that the user set, in milliseconds", () => {
  const config = renderConfig({ ...settings, responseTimeout: 1_500, tunnelTimeout: 2_500, drainTimeout: 3_500 }, blue);
  for (const line of ["timeout server 1500ms", "timeout tunnel 2500ms", "hard-stop-after 3500ms"])
    expect(config).toContain(`  ${line}\n`);
});

test("gives a slow upload a minute at least, however fast the app has to answer", () => {
  expect(renderConfig({ ...settings, responseTimeout: 1_500 }, blue)).toContain("  timeout client 60000ms\n");
  expect(renderConfig({ ...settings, responseTimeout: 90_000 }, blue)).toContain("  timeout client 90000ms\n");
});

test("tells Prometheus its numbers on a port of their own, where nothing leads to the app", () => {
  const config = renderConfig(settings, blue);
  const [metrics = ""] = /^frontend metrics\n(?: .*\n)+/m.exec(config) ?? [];
  expect(metrics).toContain("  bind :8404\n");
  expect(metrics).toContain(" prometheus-exporter if { path /metrics }\n");
  expect(metrics).not.toContain("backend");
});

test("says the version of each slot", () => {
  expect(renderMap({ blue: "v1.2.3", green: "4d5e6f" })).toBe("blue v1.2.3\ngreen 4d5e6f\n");
});

const hostile: readonly [what: string, text: string][] = [
  ["a line end", "x\n  stats socket /tmp/x level admin"],
  ["a carriage return", "x\rstats"],
  ["a space", "x inter 1h"],
  ["a comment", "x#"],
  ["a quote", 'x"'],
  ["a log format", "%[env(HOME)]"],
  ["an environment variable", "$HOME"],
  ["a backslash", "x\\"],
  ["a colon", "x:1"],
  ["nothing visible", "\u00a0"],
  ["too much", "x".repeat(65)],
];

test.each(hostile)("lets no %s into the configuration or the map", (_what, text) => {
  const refusal = `not for the proxy's configuration: ${JSON.stringify(text)}`;
  expect(() => renderConfig({ ...settings, releaseHeader: text }, blue)).toThrow(refusal);
  expect(() => renderConfig(settings, { ...blue, container: text })).toThrow(refusal);
  expect(() => renderMap({ blue: text, green: "v1" })).toThrow(refusal);
  expect(() => renderMap({ blue: "v1", green: text })).toThrow(refusal);
});

test("lets no empty name into it", () => {
  expect(() => renderConfig(settings, { ...blue, container: "" })).toThrow("not for the proxy's configuration");
  expect(() => renderMap({ blue: "", green: "v1" })).toThrow("not for the proxy's configuration");
});

/** '' = HAProxy itself can be had here; or why not */
function whyNoHaproxy(): string {
  try {
    const ran = execFileSync("docker", ["image", "inspect", "-f", "ok", HAPROXY], { stdio: "pipe", timeout: 10_000 });
    return ran.toString().trim() === "ok" ? "" : "no such image";
  } catch (error) {
    return `${HAPROXY} is not here: ${String((error as Error).message)
      .split("\n")
      .at(-1)}`;
  }
}

const why = whyNoHaproxy();
const withHaproxy = why === "" ? test : test.skip;
const title = why === "" ? "is taken by HAProxy 3.0 without a warning" : `is taken by HAProxy 3.0 (skipped: ${why})`;

withHaproxy(title, () => {
  const folder = mkdtempSync(join(tmpdir(), "proxy-config-"));
  const cases: [string, string][] = [
    ["first", renderConfig(settings, undefined)],
    ["blue", renderConfig(settings, blue)],
    ["green", renderConfig(settings, green)],
    ["no-header", renderConfig({ ...settings, releaseHeader: "" }, blue)],
  ];
  try {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "current"));
    mkdirSync(join(folder, "run"));
    writeFileSync(join(folder, "current/slots.map"), renderMap({ blue: "v1", green: "none" }));
    for (const [name, config] of cases) writeFileSync(join(folder, `${name}.cfg`), config);
    const checks = cases.map(([name]) => `haproxy -c -f /state/${name}.cfg`).join(" && ");
    const words = ["run", "--rm", "--network", "none", "-v", `${folder}:/state`, "--entrypoint", "sh", HAPROXY, "-c"];
    const said = execFileSync("docker", [...words, `{ ${checks}; } 2>&1`], { encoding: "utf8", stdio: "pipe" });
    expect(said).not.toMatch(/ALERT|WARNING/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
