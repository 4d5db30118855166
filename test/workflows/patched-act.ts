// act, built from its Go module's source with act.patch, which says what stock act does otherwise than GitHub.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../bed/bed";
import { locked } from "../bed/lock";
import { run, say } from "../bed/run";
import { go, goEnvironment } from "./tools";

const VERSION = "0.2.89";
const patch = join(__dirname, "act.patch");

/** The path of the program, built when it is not there yet. */
export async function patchedAct(): Promise<string> {
  const content = createHash("sha256").update(readFileSync(patch)).digest("hex").slice(0, 12);
  const program = join(cacheFolder, "..", "tools", `act-${VERSION}-${content}`, "bin", "act");
  if (existsSync(program)) return program;
  return locked("tool act", async () => {
    if (!existsSync(program)) await build(program);
    return program;
  });
}

async function build(program: string): Promise<void> {
  say(`building act ${VERSION} with its patch: a minute or two, this once`);
  const began = Date.now();
  const folder = join(cacheFolder, "..", "tools", "building-act");
  rmSync(folder, { recursive: true, force: true }); // of a run that was killed
  mkdirSync(folder, { recursive: true });
  const [source, built] = [join(folder, "source"), join(folder, "act")];
  try {
    const compiler = await go();
    // else git takes the patch for one of this repository, and passes over it
    const env = { ...goEnvironment(folder), GIT_CEILING_DIRECTORIES: folder };
    const module = `github.com/nektos/act@v${VERSION}`;
    const { Dir } = JSON.parse(await run(compiler, ["mod", "download", "-json", module], { cwd: folder, env }));
    cpSync(Dir, source, { recursive: true });
    await run("git", ["apply", "--unidiff-zero", patch], { cwd: source, env });
    await run(compiler, ["build", "-trimpath", "-ldflags=-s -w", "-o", built, "."], { cwd: source, env });
    mkdirSync(dirname(program), { recursive: true });
    renameSync(built, program); // half of it would count as there
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`built act in ${((Date.now() - began) / 1000).toFixed(0)} s`);
}
