// Runs workflows as GitHub would, with act in host mode: the steps are processes of this machine. A caller is a repository of
// its own; ours is a copy of this one without what act does not know: $/ is written out (docs/adr/0015), and whether an
// environment's job makes a deployment record is left out.
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { docker } from "../bed/run";
import { node24 } from "../support/runner";
import { root } from "../unit/workflows/files";
import { patchedAct } from "./patched-act";
import { packages, tool } from "./tools";

const OURS = "org/hello-devops";
const LIMIT = 300_000;

/** This repository as a caller's runner downloads it at v1. */
function ourRepository(into: string): string {
  for (const part of ["action.yml", "actions", "dist", ".github"])
    cpSync(join(root, part), join(into, part), { recursive: true });
  const written = (text: string) =>
    text.replaceAll(/uses: \$\/(\S+)/g, `uses: ${OURS}/$1@v1`).replaceAll(/^ {6}deployment: .*\n/gm, "");
  const folder = join(into, ".github/workflows");
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    writeFileSync(file, written(readFileSync(file, "utf8")));
  }
  return into;
}

/** The pinned references of third parties in our files, each with the folder that plays it. */
function standIns(): readonly string[] {
  const folder = join(__dirname, "stand-ins");
  const played = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  const texts = [".github/workflows", "workflows"].flatMap((of) =>
    readdirSync(join(root, of)).map((name) => readFileSync(join(root, of, name), "utf8")),
  );
  const pinned = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/uses: ([\w-]+\/[\w-]+)[\w/-]*@([0-9a-f]{40})/g)].map(([, name, sha]) => `${name}@${sha}`),
    ),
  );
  return [...pinned].flatMap((reference) => {
    const name = reference.replace(/^.*\/|@.*$/g, "");
    return played.includes(name) ? [`${reference}=${join(folder, name)}`] : [];
  });
}

export interface Asked {
  /** a file of the caller's .github/workflows */
  readonly workflow: string;
  readonly event?: "push" | "pull_request" | "workflow_dispatch";
  readonly payload?: object;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  /** the registry that plays ECR, for whoever has assumed a role */
  readonly ecr?: { readonly endpoint: string; readonly password: string };
  /** what each step finds in its environment, such as where AWS is played */
  readonly env?: Readonly<Record<string, string>>;
  /** where GitHub's API is played */
  readonly api?: string;
  /** scripts that stand before the machine's programs of these names */
  readonly programs?: Readonly<Record<string, string>>;
}

export interface Ran {
  /** each job that ran, by its name, and how it ended; two of one name by comma */
  readonly jobs: Readonly<Record<string, string>>;
  /** seconds from the run's start to the end of each job */
  readonly ends: Readonly<Record<string, number>>;
  /** all lines, each behind the name of its job */
  readonly log: string;
  readonly summary: string;
  readonly code: number | null;
}

interface Line {
  readonly job?: string;
  readonly jobResult?: string;
  readonly msg?: string;
  readonly command?: string;
  readonly content?: string;
  readonly time?: string;
}

/** How this machine reaches npm's registry is its own; nothing else of its environment gets into a step. */
const reachesRegistries = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(npm_config_\w+|NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy)$/i.test(name),
  ),
);

/** What the callers' builds left in this machine's engine. */
export async function removeImages(under: string): Promise<void> {
  const made = (await docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"])).split("\n");
  const ours = made.filter((name) => name.startsWith(`${under}/`));
  if (ours.length > 0) await docker(["image", "rm", "--force", ...ours]);
}

/** A repository that calls our workflows. */
export class Caller {
  readonly folder = mkdtempSync(join(tmpdir(), "hello-devops-caller-"));
  readonly #ours = ourRepository(mkdtempSync(join(tmpdir(), "hello-devops-ours-")));

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** What GitHub's runners have: `pipx run zizmor==...`, and the AWS CLI. */
  async #programs(home: string, { ecr, programs = {} }: Asked): Promise<string> {
    const folder = join(home, "bin");
    mkdirSync(folder);
    copyFileSync(join(__dirname, "fake-aws.sh"), join(folder, "aws"));
    chmodSync(join(folder, "aws"), 0o755);
    if (ecr) writeFileSync(join(folder, "ecr"), `ECR_ENDPOINT='${ecr.endpoint}' ECR_PASSWORD='${ecr.password}'\n`);
    const script = `#!/bin/bash\n[[ "$1 $2" == "run ${packages.zizmor}" ]] && exec ${await tool("zizmor")} "\${@:3}"\n`;
    for (const [name, text] of Object.entries({ pipx: script, ...programs }))
      writeFileSync(join(folder, name), text, { mode: 0o755 });
    return folder;
  }

  /** All that was written, as a commit on main. */
  commit(): void {
    const git = (...words: string[]) =>
      execFileSync("git", ["-c", "user.name=Octocat", "-c", "user.email=octocat@example.test", ...words], {
        cwd: this.folder,
        stdio: "ignore",
      });
    if (!existsSync(join(this.folder, ".git"))) {
      git("init", "--initial-branch", "main");
      git("remote", "add", "origin", "https://github.com/acme/shop.git");
    }
    git("add", "--all");
    git("commit", "--allow-empty", "--message", "A change");
  }

  end(): void {
    for (const folder of [this.folder, this.#ours]) rmSync(folder, { recursive: true, force: true });
  }

  async run(asked: Asked): Promise<Ran> {
    const home = mkdtempSync(join(tmpdir(), "hello-devops-act-"));
    const { workflow, event = "push", payload = {}, secrets = {}, vars = {}, inputs = {}, api, env: more = {} } = asked;
    const given = Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== "")); // act asks for a blank one
    writeFileSync(
      join(home, "event.json"),
      JSON.stringify(event === "workflow_dispatch" ? { ...payload, inputs } : payload),
    );
    const words = [
      event,
      ...["--workflows", join(".github/workflows", workflow), "--eventpath", join(home, "event.json"), "--json"],
      ...["--platform", "ubuntu-24.04=-self-hosted", "--no-cache-server", "--use-gitignore=false", "--rm"],
      ...["--actor", "octocat", "--env-file", "/dev/null", "--secret-file", "/dev/null", "--var-file", "/dev/null"],
      ...[`${OURS}@v1=${this.#ours}`, ...standIns()].flatMap((reference) => ["--local-repository", reference]),
      ...Object.keys(given).flatMap((name) => ["--secret", name]), // act reads its value from the environment
      ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
      ...(api ? ["--env", `GITHUB_API_URL=${api}`] : []),
    ];
    const env = {
      ...reachesRegistries,
      PATH: [dirname(node24), await this.#programs(home, asked), process.env.PATH].join(":"),
      HOME: home,
      XDG_CACHE_HOME: join(home, "cache"),
      ...more,
      ...given,
    };
    try {
      return await ended(
        spawn(await patchedAct(), words, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"], timeout: LIMIT }),
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<Ran> {
  const began = Date.now();
  const rows: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface(stream).on("line", (row) => rows.push(row)); // each by itself: a chunk may end in the middle of a line
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const jobs: Record<string, string> = {};
      const ends: Record<string, number> = {};
      const log: string[] = [];
      const summary: string[] = [];
      for (const row of rows) {
        const line = lineOf(row);
        const name = line.job?.trim() ?? "";
        if (line.jobResult) {
          jobs[name] = [...(jobs[name] ? [jobs[name]] : []), line.jobResult].join(", ");
          ends[name] = (Date.parse(line.time ?? "") - began) / 1000;
        }
        if (line.command === "summary") summary.push(line.content ?? "");
        log.push(`${name}| ${line.msg ?? ""}`.trimEnd());
      }
      resolve({ jobs, ends, log: log.join("\n"), summary: summary.join("\n"), code });
    });
  });
}

function lineOf(row: string): Line {
  try {
    return JSON.parse(row) as Line;
  } catch {
    return { msg: row };
  }
}
