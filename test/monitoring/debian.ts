// Prometheus 3, Alertmanager, node-exporter and Compose of Debian's next release, unpacked beside the checkout. They are the
// versions that monitoring/compose.yaml names, or later ones of the same major: Debian moves on.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../bed/bed";
import { locked } from "../bed/lock";
import { run } from "../bed/run";

const folder = join(checkout, ".cache", "tools", "monitoring");
const root = join(folder, "root");
const packages = ["prometheus", "promtool", "prometheus-alertmanager", "prometheus-node-exporter", "docker-compose"];

const programs = {
  prometheus: "usr/bin/prometheus",
  promtool: "usr/bin/promtool",
  alertmanager: "usr/bin/prometheus-alertmanager",
  amtool: "usr/bin/amtool",
  "node-exporter": "usr/bin/prometheus-node-exporter",
  compose: "usr/libexec/docker/cli-plugins/docker-compose",
} as const;

/** Where the program is; it needs nothing but a C library of 2021 or later. */
export async function program(name: keyof typeof programs): Promise<string> {
  await locked("monitoring-tools", async () => {
    if (!existsSync(join(root, "complete"))) await unpack();
  });
  return join(root, programs[name]);
}

/** Debian keeps Alertmanager's default template in a file, which upstream has in the program. */
export const shared = async (): Promise<string> =>
  join(await program("alertmanager"), "../../share/prometheus/alertmanager");

async function unpack(): Promise<void> {
  if (!existsSync("/etc/debian_version"))
    throw new Error("Prometheus and its tools are taken from Debian: run this on Debian.");
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["lists/partial", "cache/archives/partial", "debs", "root"])
    mkdirSync(join(folder, name), { recursive: true });
  const sources = join(folder, "sources.list");
  writeFileSync(
    sources,
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main\n",
  );
  const settings = join(folder, "apt.conf");
  writeFileSync(
    settings,
    `Dir::Etc::SourceList "${sources}";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "${join(folder, "lists")}";
Dir::Cache "${join(folder, "cache")}";
APT::Sandbox::User "root";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
`,
  );
  const env = { ...process.env, APT_CONFIG: settings };
  const debs = join(folder, "debs");
  await run("apt-get", ["update", "-q"], { env });
  await run("apt-get", ["download", "-q", ...packages], { env, cwd: debs });
  for (const deb of readdirSync(debs)) await run("dpkg", ["-x", join(debs, deb), root]);
  rmSync(join(folder, "lists"), { recursive: true, force: true });
  rmSync(debs, { recursive: true, force: true });
  writeFileSync(join(root, "complete"), "");
}
