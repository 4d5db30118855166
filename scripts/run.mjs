// Runs a TypeScript file of this repository on a machine that has only Node 20+ and npm:
// installs the locked packages first when they are missing or older than the lockfile.
// Usage: node scripts/run.mjs FILE.ts [ARG ...]
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const installed = join(root, "node_modules", ".package-lock.json");
const lockfile = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lockfile).mtimeMs) {
  process.stderr.write("Installing the locked npm packages (npm ci) ...\n");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (npm.status !== 0) process.exit(npm.status ?? 1);
}

process.on("SIGINT", () => {}); // Ctrl-C reaches the child, too: it may have something to say before it ends
const [file, ...args] = process.argv.slice(2);
const child = spawnSync(process.execPath, ["--import", "tsx", file, ...args], { cwd: root, stdio: "inherit" });
process.exit(child.status ?? 1);
