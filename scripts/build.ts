// Bundles each action into dist/<name>/, the files that users run. `--check` builds aside and compares byte by byte.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardProgram } from "./guard-program";

const root = join(__dirname, "..");
const actions = readdirSync(join(root, "actions"));
// What ncc emits besides the bundle is for Windows (pagent.exe) and for BuildKit sessions (*.proto); nothing here uses it.
const KEPT = ["index.js", "licenses.txt"];

function build(action: string, into: string): void {
  const made = mkdtempSync(join(tmpdir(), "hello-devops-build-"));
  try {
    const ncc = join(root, "node_modules", "@vercel", "ncc", "dist", "ncc", "cli.js");
    const entry = join("actions", action, "index.ts");
    const flags = ["--transpile-only", "--no-cache", "--license", "licenses.txt", "--target", "es2023"];
    execFileSync(process.execPath, [ncc, "build", entry, "--out", made, ...flags], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    rmSync(into, { recursive: true, force: true });
    mkdirSync(into, { recursive: true });
    for (const file of KEPT) copyFileSync(join(made, file), join(into, file));
    writeFileSync(join(into, "guard.sh"), guardProgram()); // read at run time, beside the bundle
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function differences(a: string, b: string): string[] {
  const files = new Set([...readdirSync(a), ...readdirSync(b)]);
  const read = (folder: string, file: string) => {
    try {
      return readFileSync(join(folder, file));
    } catch {
      return undefined;
    }
  };
  return [...files].filter((file) => {
    const [one, two] = [read(a, file), read(b, file)];
    return !one || !two || !one.equals(two);
  });
}

const check = process.argv.includes("--check");
let stale = 0;
for (const action of actions) {
  const committed = join(root, "dist", action);
  const into = check ? mkdtempSync(join(tmpdir(), "hello-devops-check-")) : committed;
  build(action, into);
  if (!check) continue;
  for (const file of differences(into, committed)) {
    stale += 1;
    console.error(`dist/${action}/${file} is not what the source makes. Run: npm run build`);
  }
  rmSync(into, { recursive: true, force: true });
}
process.exit(stale > 0 ? 1 : 0);
