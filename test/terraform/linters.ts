// Each linter over a copy of terraform/: what it finds, as "path:line: what is wrong".
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { tool } from "../workflows/tools";
import { environment } from "./terraform";
import type { Workspace } from "./workspace";

type Findings = readonly string[];

function spoken(program: string, words: readonly string[], cwd: string): string {
  const ended = spawnSync(program, words, { cwd, encoding: "utf8", env: environment({}), maxBuffer: 64 * 1024 * 1024 });
  if (ended.error) throw ended.error;
  if (ended.stdout === "" && ended.status !== 0)
    throw new Error(`${program} ended with ${ended.status}: ${ended.stderr}`);
  return ended.stdout;
}

/** Found or not is no matter of the exit status here: all of them say it as JSON. */
const said = <T>(program: string, words: readonly string[], cwd: string): T =>
  JSON.parse(spoken(program, words, cwd)) as T;

async function format({ folder }: Workspace): Promise<Findings> {
  const paths = spoken("terraform", ["fmt", "-check", "-recursive", "-no-color"], folder).split("\n");
  return paths.flatMap((path) => (path === "" ? [] : [`${path}:1: is not as terraform fmt writes it`]));
}

interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
  readonly range?: { readonly filename: string; readonly start: { readonly line: number } };
}

/** Of one root. Warnings, too: what is deprecated goes with the provider's next version. */
async function validate(workspace: Workspace): Promise<Findings> {
  await workspace.init("-backend=false");
  const words = ["validate", "-json", "-no-color"];
  const { diagnostics } = said<{ readonly diagnostics: readonly Diagnostic[] }>("terraform", words, workspace.folder);
  return diagnostics.map(
    ({ summary, detail, range }) => `${range?.filename}:${range?.start.line}: ${summary}: ${detail}`,
  );
}

interface Issue {
  readonly rule: { readonly name: string };
  readonly message: string;
  readonly range: { readonly filename: string; readonly start: { readonly line: number } };
}

async function tflint({ folder }: Workspace): Promise<Findings> {
  const words = ["--recursive", "--format=json", `--config=${folder}/.tflint.hcl`];
  const { issues, errors } = said<{
    readonly issues: readonly Issue[];
    readonly errors: readonly { message: string }[];
  }>(await tool("tflint"), words, folder);
  return [
    ...issues.map(({ rule, message, range }) => `${range.filename}:${range.start.line}: ${rule.name}: ${message}`),
    ...errors.map(({ message }) => `.:0: ${message}`),
  ];
}

interface Check {
  readonly check_id: string;
  readonly check_name: string;
  readonly resource: string;
  readonly file_path: string;
  readonly file_line_range: readonly [number, number];
  readonly check_result: { readonly suppress_comment?: string };
}

interface Checked {
  readonly failed_checks: readonly Check[];
  readonly skipped_checks: readonly Check[];
  readonly parsing_errors: readonly string[];
}

/** A check that is skipped beside its resource without saying why is found, too. */
async function checkov({ folder }: Workspace): Promise<Findings> {
  const words = ["--directory=.", "--framework=terraform", "--output=json", "--compact", "--skip-download"];
  const { results } = said<{ readonly results: Checked }>(await tool("checkov"), words, folder);
  const unexplained = results.skipped_checks.filter(
    ({ check_result: { suppress_comment: why = "" } }) => why === "" || why === "No comment provided",
  );
  return [
    ...results.failed_checks.map((check) => `${at(check)}: ${check.check_id}: ${check.check_name} (${check.resource})`),
    ...unexplained.map((check) => `${at(check)}: ${check.check_id} is skipped without a reason (${check.resource})`),
    ...results.parsing_errors.map((path) => `${relative(folder, path)}:0: can't be read`),
  ];
}

const at = ({ file_path, file_line_range: [line] }: Check): string => `${file_path.replace(/^\//, "")}:${line}`;

export const linters = { format, validate, tflint, checkov } as const;
export type Linter = keyof typeof linters;
