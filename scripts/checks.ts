// What is checked besides the tests. A check that this machine has no tool for is skipped, with the reason.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardProgram } from "./guard-program";

interface Runs {
  readonly name: string;
  readonly command: readonly string[];
}
interface Skipped {
  readonly name: string;
  readonly skip: string;
}

export function checks(bin: (name: string) => string): readonly (Runs | Skipped)[] {
  const node = (script: string, ...flags: string[]) => [process.execPath, "--import", "tsx", script, ...flags];
  return [
    { name: "lint and format", command: [bin("biome"), "check", "."] },
    { name: "types", command: [bin("tsc"), "--noEmit"] },
    {
      name: "arrows between rooms, and no import cycle",
      command: [bin("depcruise"), "--config", ".dependency-cruiser.cjs", "actions", "src"],
    },
    { name: "dist/ is what the source makes", command: node("scripts/build.ts", "--check") },
    { name: "tables in the docs are what action.yml says", command: node("scripts/docs.ts", "--check") },
    shellcheck(),
  ];
}

function shellcheck(): Runs | Skipped {
  const name = "shell scripts pass shellcheck";
  if (!has("shellcheck") && has("apt-get") && process.getuid?.() === 0) {
    spawnSync("apt-get", ["update", "-q"], { stdio: "ignore" });
    spawnSync("apt-get", ["install", "-qy", "--no-install-recommends", "shellcheck"], { stdio: "ignore" });
  }
  if (!has("shellcheck")) return { name, skip: "shellcheck is not installed" };
  // the guard's parts are one program, and looked at as that
  const listed = spawnSync("git", ["ls-files", "*.sh", ":!dist", ":!src/host/guard/program", ".ci/run"], {
    encoding: "utf8",
  });
  const guard = join(mkdtempSync(join(tmpdir(), "hello-devops-guard-")), "guard.sh");
  writeFileSync(guard, guardProgram());
  return { name, command: ["shellcheck", guard, ...listed.stdout.split("\n").filter((file) => file !== "")] };
}

const has = (tool: string): boolean => spawnSync(tool, ["--version"], { stdio: "ignore" }).status === 0;
