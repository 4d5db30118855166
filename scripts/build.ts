// Bundles each action into dist/<name>/, the files that users run. `--check` builds aside and compares byte by byte.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guardProgram } from "./guard-program";

const root = join(__dirname, "..");
const actions = readdirSync(join(root, "actions"));
// What else ncc emits is for Windows (pagent.exe) and for BuildKit sessions (*.proto); nothing here uses it.
const LICENSES = "licenses.txt";
// What is behind an import(): AWS's clients.
const READ_LATER = /^\d+\.index\.js$/;
// dockerode loads gRPC for BuildKit's sessions, 60 ms of each start. Nothing here builds an image: a module that Node has
// loaded anyway stands in its place.
const UNUSED = { "/^@grpc\\/(grpc-js|proto-loader)$/": "node:util" };
// undici is a third of all code, and speaks for the commits of a summary alone: it is read when that is asked for, which
// makes each start 50 ms shorter.
const LATER = "undici";

interface Bundle {
  readonly code: string;
  readonly assets: Readonly<Record<string, { readonly source: string | Buffer }>>;
}
const ncc = require("@vercel/ncc") as (entry: string, options: object) => Promise<Bundle>;

// a file for each chunk: one name for all of them would keep the last one's alone
const OPTIONS = { transpileOnly: true, cache: false, license: "licenses.[name].txt", target: "es2023", quiet: true };

async function build(action: string, into: string): Promise<void> {
  const externals = { ...UNUSED, [LATER]: `./${LATER}.js` };
  const { code, assets } = await ncc(join(root, "actions", action, "index.ts"), { ...OPTIONS, externals });
  const later = await ncc(require.resolve(LATER), OPTIONS);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, "index.js"), code);
  for (const file of Object.keys(assets).filter((name) => READ_LATER.test(name)))
    writeFileSync(join(into, file), assets[file]?.source ?? "");
  writeFileSync(join(into, `${LATER}.js`), onFirstUse(`./${LATER}.bundle.js`));
  writeFileSync(join(into, `${LATER}.bundle.js`), later.code);
  writeFileSync(join(into, LICENSES), [assets, later.assets].flatMap(licensesIn).join("\n"));
  if (code.includes('"guard.sh"')) writeFileSync(join(into, "guard.sh"), guardProgram()); // read at run time, beside the bundle
}

const licensesIn = (assets: Bundle["assets"]): string[] =>
  Object.keys(assets)
    .filter((file) => file.startsWith("licenses."))
    .sort()
    .map((file) => String(assets[file]?.source));

/** A module that is another one, read when something of it is asked for. */
const onFirstUse = (file: string) => `"use strict";
let bundle;
module.exports = new Proxy({}, { get: (_target, name) => (bundle ??= require("${file}"))[name] });
`;

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

async function main(): Promise<number> {
  const check = process.argv.includes("--check");
  let stale = 0;
  for (const action of actions) {
    const committed = join(root, "dist", action);
    const into = check ? mkdtempSync(join(tmpdir(), "hello-devops-check-")) : committed;
    await build(action, into);
    if (!check) continue;
    for (const file of differences(into, committed)) {
      stale += 1;
      console.error(`dist/${action}/${file} is not what the source makes. Run: npm run build`);
    }
    rmSync(into, { recursive: true, force: true });
  }
  return stale > 0 ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error);
    process.exit(1);
  },
);
