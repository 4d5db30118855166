import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Bed, BedHost } from "../bed/bed";

const root = join(__dirname, "..", "..");

/** The Node that GitHub's runner uses for `node24`: this one, or the npm package that carries the real binary. */
export const node24 =
  Number(process.versions.node.split(".")[0]) === 24
    ? process.execPath
    : join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");

export type Inputs = Readonly<Record<string, string>>;

export interface Ended {
  /** null = killed by a signal */
  readonly code: number | null;
  /** everything that the job log would hold, workflow commands included */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** A step that runs a committed bundle, with what GitHub's runner gives it. */
export class Step {
  readonly ended: Promise<Ended>;
  readonly child: ChildProcess;
  #log = "";
  #watchers: (() => void)[] = [];

  constructor(action: string, env: Readonly<Record<string, string>>) {
    const folder = mkdtempSync(join(tmpdir(), "hello-devops-step-"));
    const files = {
      GITHUB_OUTPUT: "output",
      GITHUB_STATE: "state",
      GITHUB_STEP_SUMMARY: "summary",
      GITHUB_ENV: "env",
      GITHUB_PATH: "path",
    };
    const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(folder, file)]));
    for (const path of Object.values(paths)) writeFileSync(path, "");
    this.child = spawn(node24, [join(root, "dist", action, "index.js")], {
      env: { PATH: process.env.PATH ?? "", HOME: folder, RUNNER_TEMP: folder, ...paths, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
        for (const watch of this.#watchers) watch();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code) => {
        const text = (name: string) => readFileSync(paths[name] ?? "", "utf8");
        resolve({
          code,
          log: this.#log,
          outputs: keyValues(text("GITHUB_OUTPUT")),
          state: keyValues(text("GITHUB_STATE")),
          summary: text("GITHUB_STEP_SUMMARY"),
        });
        rmSync(folder, { recursive: true, force: true });
        for (const watch of this.#watchers) watch();
      });
    });
  }

  get log(): string {
    return this.#log;
  }

  /** Resolves when the log holds it; rejects when the step ended without. */
  says(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = () => {
        if (pattern.test(this.#log)) resolve();
        else if (this.child.exitCode !== null || this.child.signalCode !== null) {
          reject(new Error(`the step ended without saying ${pattern}:\n${this.#log}`));
        }
      };
      this.#watchers.push(watch);
      watch();
    });
  }

  /** Resolves as the phase begins: the log's own group line. */
  reaches(phase: string): Promise<void> {
    return this.says(new RegExp(`^::group::${phase}$`, "m"));
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** `name<<delimiter`, lines, `delimiter`: the file commands of @actions/core. */
function keyValues(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^(.+?)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm)];
  return Object.fromEntries(pairs.map(([, name = "", , value = ""]) => [name, value]));
}

export const actionFile = (action: string): string => join(root, "actions", action, "action.yml");

/** The defaults of action.yml, as the runner fills them in. */
export function defaultsOf(action: string): Record<string, string> {
  const file = readFileSync(actionFile(action), "utf8");
  const { inputs } = parse(file) as { inputs: Record<string, { default?: string }> };
  const filled = Object.entries(inputs).flatMap(([name, { default: value }]) =>
    value === undefined ? [] : [[name, value.startsWith("${{") ? "" : value] as const],
  );
  return Object.fromEntries(filled);
}

let lastRun = 1000;

/** The variables that GitHub sets; each call is a newer run. */
export const runVariables = (): Record<string, string> => ({
  GITHUB_ACTIONS: "true",
  GITHUB_RUN_ID: String(++lastRun),
  GITHUB_RUN_ATTEMPT: "1",
  GITHUB_ACTOR: "octocat",
  GITHUB_REPOSITORY: "acme/web",
  GITHUB_SERVER_URL: "https://github.example",
  GITHUB_API_URL: "https://api.github.example",
  GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
  GITHUB_WORKSPACE: root,
});

/** What nearly every test wants: this host, this image, quick gates. */
export const basicInputs = (bed: Bed, host: BedHost, image: string): Record<string, string> => ({
  hosts: `${host.address}:${host.port}`,
  "ssh-key": readFileSync(host.keyFile, "utf8"),
  "ssh-known-hosts": readFileSync(host.knownHosts, "utf8"),
  image: bed.images[image]?.digest ?? image,
  version: image,
  "registry-username": bed.registry.username,
  "registry-password": bed.registry.password,
  "health-interval": "100ms",
  "bake-time": "1s",
  "start-timeout": "15s",
});

export function startStep(action: string, inputs: Inputs, env: Readonly<Record<string, string>> = {}): Step {
  const named = Object.entries({ ...defaultsOf(action), ...inputs });
  const given = Object.fromEntries(named.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
  return new Step(action, { ...runVariables(), ...given, ...env });
}

/** The post step of a step that has ended: the same inputs, and the state that it saved. */
export function startPost(
  action: string,
  inputs: Inputs,
  state: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Step {
  const saved = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
  return startStep(action, inputs, { ...saved, ...env });
}
