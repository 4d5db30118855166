// Each linter over workflows and action.yml files by their text: what it finds, as "path:line: what is wrong".
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { all, examples, root } from "../unit/workflows/files";
import { ensureShellcheck, tool } from "../workflows/tools";

/** By their paths from the repository's top. */
export type Texts = Readonly<Record<string, string>>;

const read = (path: string) => [path, readFileSync(join(root, path), "utf8")] as const;
const actions = ["actions", ".github/actions"].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => `${folder}/${name}/action.yml`),
);
/** All that GitHub reads of this repository, and what users copy. */
export const files: Texts = Object.fromEntries(
  [...all.map(({ path }) => path), ...actions, "action.yml"].map((path) => read(path)),
);

/** The files that the pages show whole. */
export const shown: Texts = Object.fromEntries(
  examples.flatMap(({ page, number, text, content }) => {
    const whole = ["name", "on", "jobs"].every((key) => Object.hasOwn(content as object, key));
    return whole ? [[`.github/workflows/${page.replace(/\W/g, "-")}-${number}.yml`, text] as const] : [];
  }),
);

/** Found or not is no matter of the exit status here: all of them say it as JSON. */
function said<T>(program: string, words: readonly string[], cwd: string, input = ""): readonly T[] {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, input, encoding: "utf8" });
  if (error) throw error;
  if (!stdout.startsWith("[")) throw new Error(`${program} ended with ${status}:\n${stdout}${stderr}`);
  return JSON.parse(stdout) as readonly T[];
}

/** `regular` is what the look at workflows in pr-checks.yml has. */
async function zizmor(texts: Texts, persona: "pedantic" | "regular" = "pedantic"): Promise<readonly string[]> {
  return inRepository(texts, async (folder) => {
    const words = ["--offline", `--persona=${persona}`, "--no-progress", "--no-exit-codes", "--format=json-v1"];
    const found = said<{ ident: string; locations: readonly Place[] }>(
      await tool("zizmor"),
      [...words, ...Object.keys(texts)],
      folder,
    );
    return found.map(({ ident, locations: [at] }) => {
      const line = (at?.concrete.location.start_point.row ?? 0) + 1;
      return `${at?.symbolic.key.Local.verbatim_path}:${line}: ${ident}`;
    });
  });
}

interface Place {
  readonly symbolic: { readonly key: { readonly Local: { readonly verbatim_path: string } } };
  readonly concrete: { readonly location: { readonly start_point: { readonly row: number } } };
}

/** It does not know $/, nor where org/hello-devops is: it is shown a repository that says ./ in their place. */
async function actionlint(texts: Texts): Promise<readonly string[]> {
  await ensureShellcheck();
  const placed = (path: string) => path.replace(/^workflows\//, ".github/workflows/to-copy-");
  const written = Object.entries({ ...files, ...texts }).map(([path, text]) => [placed(path), local(text)]);
  return inRepository(Object.fromEntries(written), async (folder) => {
    const paths = new Map(Object.keys(texts).map((path) => [placed(path), path]));
    const workflows = [...paths.keys()].filter((path) => path.startsWith(".github/workflows/"));
    const words = ["-no-color", "-shellcheck=shellcheck", "-pyflakes=", "-format={{json .}}"];
    const found = said<{ message: string; filepath: string; line: number }>(
      await tool("actionlint"),
      [...words, ...workflows],
      folder,
    );
    return found.map(({ filepath, line, message }) => `${paths.get(filepath)}:${line}: ${message}`);
  });
}

/** As it knows what others wrote by their first number, it is told that. */
const local = (text: string): string =>
  text
    .replaceAll(/(uses: )(?:\$\/|org\/hello-devops(?:\/|(?=@)))([\w./-]*)(?:@v1)?/g, "$1./$2")
    .replaceAll(/@[0-9a-f]{40} # (v\d+)\S*/g, "@$1");

/** A repository with these files, and with the bundles that our action.yml files name. */
async function inRepository<T>(texts: Texts, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-lint-"));
  try {
    symlinkSync(join(root, "dist"), join(folder, "dist"));
    for (const [path, text] of Object.entries(texts)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    execFileSync("git", ["init", "--quiet"], { cwd: folder });
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function languageService(texts: Texts): Promise<readonly string[]> {
  const program = join(__dirname, "languageservice.mts");
  return said<string>(process.execPath, ["--import", "tsx", program], root, JSON.stringify(texts));
}

export const linters = { actionlint, languageService, zizmor } as const;
export type Linter = keyof typeof linters;
