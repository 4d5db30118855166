// A store that takes what Elasticsearch takes: documents, ingest pipelines, templates, data streams. It knows no users, no
// life cycle and no failure store. Run from its libraries, which Maven gets.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkout } from "../bed/bed";
import { apt } from "../bed/engine";
import { locked } from "../bed/lock";
import { run } from "../bed/run";

const sources = join(__dirname, "opensearch");
const classpath = join(checkout, ".cache", "tools", "opensearch-2.19.1.0.classpath");

const lacking = ["java", "mvn"].filter((tool) => spawnSync(tool, ["-version"], { stdio: "ignore" }).status !== 0);
const mayInstall = existsSync("/usr/bin/apt-get") && process.getuid?.() === 0;

/** Why it can't be had on this machine; "" = it can. */
export const missing: string = mayInstall ? "" : lacking.map((tool) => `${tool} is not installed`).join(", ");

async function libraries(): Promise<string> {
  await locked("opensearch", async () => {
    if (existsSync(classpath)) return;
    if (lacking.length > 0) await apt("openjdk-17-jdk-headless", "maven");
    mkdirSync(join(classpath, ".."), { recursive: true });
    const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath";
    await run("mvn", ["-q", "-B", "-f", join(sources, "pom.xml"), plugin, `-Dmdep.outputFile=${classpath}`]);
  });
  return readFileSync(classpath, "utf8").trim();
}

export class OpenSearch {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly address: string,
  ) {}

  static async start(): Promise<OpenSearch> {
    const folder = mkdtempSync(join(tmpdir(), "opensearch-"));
    const flags = ["-Xms256m", "-Xmx384m", "-Djava.security.manager=allow", "-cp", await libraries()];
    const child = spawn("java", [...flags, join(sources, "OpenSearch.java"), folder], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const [, address] = /^listens: (\S+)$/.exec(line) ?? [];
      if (address) return new OpenSearch(child, folder, address);
    }
    throw new Error("OpenSearch ended before it listened.");
  }

  /** What it answers, which must be a yes. */
  async ask<T>(method: string, path: string, body?: string, type = "json"): Promise<T> {
    const headers = { "Content-Type": `application/${type}`, Accept: "application/json" };
    const answer = await fetch(`http://${this.address}/${path}`, { method, headers, ...(body ? { body } : {}) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin?.end();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
