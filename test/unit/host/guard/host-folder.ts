import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderConfig, renderMap } from "../../../../src/host/proxy/config";
import { GuardProcess, type GuardStart } from "./guard-process";
import { until } from "./until";

export const APP = "shop";
export const SETTINGS = {
  responseTimeout: 60_000,
  tunnelTimeout: 60_000,
  drainTimeout: 5_000,
  releaseHeader: "X-Release",
};

interface FakeContainer {
  readonly running: boolean;
  readonly policy: string;
  readonly transaction?: string;
  /** of the host; Docker gives it to one container at a time */
  readonly port?: string;
}

/** What Docker calls a container, whatever its name becomes. */
export const idOf = (name: string): string => createHash("sha256").update(name).digest("hex");

/** A host as a folder: the state of one app, a fake docker (fake-docker.sh), and an sshd that is bash by another name. */
export class HostFolder {
  readonly folder: string;
  readonly #guards: GuardProcess[] = [];

  /** The host of a shop that serves r1 from the slot blue. */
  static serving(): HostFolder {
    const host = new HostFolder(mkdtempSync(join(tmpdir(), "guard-")));
    host.#makeDocker();
    host.#makeState();
    return host;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** The same host once more: for the next of many faults. */
  copy(): HostFolder {
    const folder = mkdtempSync(join(tmpdir(), "guard-"));
    cpSync(this.folder, folder, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(folder, "docker/app"), join(folder, "state", APP));
    return new HostFolder(folder);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  state(...names: string[]): string {
    return join(this.folder, "state", APP, ...names);
  }

  guard(start: GuardStart = {}): GuardProcess {
    const guard = new GuardProcess(this, start);
    this.#guards.push(guard);
    return guard;
  }

  /** Kills what is left of its guards, and is gone. */
  async end(): Promise<void> {
    for (const file of readdirSync(this.path("docker/orders"))) rmSync(this.path("docker/orders", file));
    for (const guard of this.#guards) await guard.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  order(name: string): void {
    writeFileSync(this.path("docker/orders", name), "");
  }

  countermand(name: string): void {
    rmSync(this.path("docker/orders", name), { force: true });
  }

  /** Before its guard starts, because bash remembers where it found a command. */
  stepByStep(): void {
    for (const name of ["step", "sync", "mv", "ln", "rm"])
      copyFileSync(join(__dirname, "crashing-command.sh"), this.path("bin", name));
  }

  /** The guard dies just before the `step`-th outside command that it runs from now on (crashing-command.sh). */
  crashAt(step: number): void {
    writeFileSync(this.path("crash-at"), `${step}\n`);
  }

  crashNoMore(): void {
    rmSync(this.path("crash-at"));
  }

  create(name: string, container: FakeContainer): void {
    const folder = this.path("docker/containers", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "running"), container.running ? "1" : "0");
    writeFileSync(join(folder, "policy"), container.policy);
    writeFileSync(join(folder, "transaction"), container.transaction ?? "an-older-one");
    writeFileSync(join(folder, "port"), container.port ?? "");
    writeFileSync(join(folder, "id"), idOf(name));
  }

  /** With `order("full")` nothing is synced any more. Before its guard starts, because bash remembers where it found `sync`. */
  diskCanFill(): void {
    const script = `#!/bin/sh\n[ ! -e "${this.path("docker/orders/full")}" ] || exit 1\nPATH=\${PATH#*:} exec sync "$@"\n`;
    writeFileSync(this.path("bin/sync"), script, { mode: 0o755 });
  }

  /** The id of the container that has the name now. */
  id(name: string): string {
    return readFileSync(this.path("docker/containers", name, "id"), "utf8");
  }

  /** As after a reboot: Docker has started what has the policy `always`, and of two with one port only the first. */
  reboot(): void {
    const taken = new Set<string>();
    for (const name of readdirSync(this.path("docker/containers")).sort()) {
      const file = (what: string) => this.path("docker/containers", name, what);
      const port = readFileSync(file("port"), "utf8");
      const starts = readFileSync(file("policy"), "utf8").trim() === "always" && !taken.has(port);
      if (starts && port) taken.add(port);
      writeFileSync(file("running"), starts ? "1" : "0");
    }
    const current = readFileSync(this.state("current/haproxy.cfg"), "utf8");
    writeFileSync(this.path("docker/loaded"), current);
    for (const [, slot, name, off] of current.matchAll(/^ {2}server (\S+) (\S+):\d+( disabled)?/gm))
      writeFileSync(this.path("docker/slots", slot ?? ""), `${off ? "maint" : "ready"} ${name}`);
  }

  /** what docker was asked for, first words only where the rest says nothing */
  calls(): readonly string[] {
    const file = this.path("docker/calls");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  /** Waits until docker was asked for it. */
  async called(beginning: string): Promise<void> {
    await until(() => this.calls().some((call) => call.startsWith(beginning)), `a call of docker ${beginning}`);
  }

  journal(): readonly string[] {
    return readFileSync(this.state("journal"), "utf8").split("\n").filter(Boolean);
  }

  current(): string {
    return existsSync(this.state("current")) ? readlinkSync(this.state("current")) : "";
  }

  /** What a person would look at to say which release the host is on. */
  outcome() {
    const file = (name: string) => readFileSync(this.path("docker", name), "utf8").trim();
    const containers = readdirSync(this.path("docker/containers")).map((name) => [
      name,
      `${file(`containers/${name}/running`) === "1" ? "runs" : "stopped"}, ${file(`containers/${name}/policy`)}`,
    ]);
    const history = existsSync(this.state("history")) ? readFileSync(this.state("history"), "utf8") : "";
    return {
      current: this.current(),
      containers: Object.fromEntries(containers) as Record<string, string>,
      blue: file("slots/blue").replace(/^maint .*/, "maint"),
      green: file("slots/green").replace(/^maint .*/, "maint"),
      proxyRuns: file("loaded"),
      releases: readdirSync(this.state("releases"))
        .sort()
        .map((name) => `${name}: ${readdirSync(this.state("releases", name)).sort().join(" ")}`),
      r1Settings: readFileSync(this.state("releases/r1/haproxy.cfg"), "utf8"),
      history: history.split("\n").filter(Boolean),
      journal: existsSync(this.state("journal")),
    };
  }

  #makeDocker(): void {
    for (const name of [
      "bin",
      "docker/containers",
      "docker/networks",
      "docker/slots",
      "docker/sessions",
      "docker/weights",
      "docker/orders",
    ])
      mkdirSync(this.path(name), { recursive: true });
    copyFileSync(join(__dirname, "fake-docker.sh"), this.path("bin/docker"));
    copyFileSync(join(__dirname, "short-sleep.sh"), this.path("bin/sleep"));
    symlinkSync("/bin/bash", this.path("bin/sshd")); // comm is the file's name
    const files = {
      app: this.state(),
      worker: "100",
      processes: "2",
      "slots/blue": "ready shop-1",
      "slots/green": "maint green.invalid",
      "sessions/blue": "0",
      "sessions/green": "0",
      "weights/blue": "1",
      "weights/green": "1",
      "networks/hello-devops-shop": "",
      loaded: renderConfig(SETTINGS, { slot: "blue", container: "shop-1", port: 5000 }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(this.path("docker", name), text);
    this.create("shop-1", { running: true, policy: "always" });
    this.create("shop-proxy", { running: true, policy: "always", port: "80" });
  }

  #makeState(): void {
    mkdirSync(this.state("releases/r1"), { recursive: true });
    writeFileSync(this.state("format"), "1\n");
    writeFileSync(this.state("releases/r1/release.json"), '{"release":"r1"}');
    writeFileSync(
      this.state("releases/r1/haproxy.cfg"),
      renderConfig(SETTINGS, { slot: "blue", container: "shop-1", port: 5000 }),
    );
    writeFileSync(this.state("releases/r1/slots.map"), renderMap({ blue: "v1", green: "none" }));
    symlinkSync("releases/r1", this.state("current"));
  }
}
