// Writes what is made from other files: the tables of inputs and outputs in actions/*/README.md (from action.yml) and in
// docs/workflows.md (from the reusable workflows), between their markers, and the root's action.yml.
// Usage: node scripts/run.mjs scripts/docs.ts [--check]     --check: change nothing, fail when a table is not as it should be
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Field {
  readonly description: string;
  readonly required?: boolean;
  readonly default?: string | number | boolean;
}

interface ActionYml {
  readonly inputs?: Readonly<Record<string, Field>>;
  readonly outputs?: Readonly<Record<string, Field>>;
}

export function withTables(readme: string, actionYml: string): string {
  const { inputs = {}, outputs = {} } = parse(actionYml) as ActionYml;
  const between = new Map([
    ["inputs", table(["Input", "Meaning", "Default"], Object.entries(inputs).map(inputRow))],
    ["outputs", table(["Output", "Meaning"], Object.entries(outputs).map(outputRow))],
  ]);
  return [...between].reduce((text, [name, rows]) => replaced(text, name, rows), readme);
}

const inputRow = ([name, field]: [string, Field]): string[] => [`\`${name}\``, field.description, defaultOf(field)];
const outputRow = ([name, field]: [string, Field]): string[] => [`\`${name}\``, field.description];

function defaultOf({ required, default: text }: Field): string {
  if (required) return "required";
  return text === undefined || text === "" ? "" : `\`${text}\``;
}

/** Cells are padded as Biome formats Markdown, so that the two don't undo each other's work. */
function table(head: readonly string[], rows: readonly string[][]): string {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const ruled = [...cells.slice(0, 1), widths.map((width) => "-".repeat(width)), ...cells.slice(1)];
  return ruled
    .map((row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`)
    .join("\n");
}

const cell = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");

interface Called {
  readonly inputs?: Readonly<Record<string, Field>>;
  readonly secrets?: Readonly<Record<string, Field>>;
  readonly outputs?: Readonly<Record<string, Field>>;
}

/** Puts the tables of one reusable workflow between its markers. */
export function withWorkflow(page: string, name: string, yml: string): string {
  const { on } = parse(yml) as { readonly on: { readonly workflow_call?: Called } };
  const { inputs = {}, secrets = {}, outputs = {} } = on.workflow_call ?? {};
  const secretRow = ([secret, field]: [string, Field]) => [
    `\`${secret}\``,
    field.description,
    field.required ? "required" : "",
  ];
  const tables = [
    table(["Input", "Meaning", "Default"], Object.entries(inputs).map(inputRow)),
    Object.keys(secrets).length > 0 && table(["Secret", "Meaning", ""], Object.entries(secrets).map(secretRow)),
    Object.keys(outputs).length > 0 && table(["Output", "Meaning"], Object.entries(outputs).map(outputRow)),
  ];
  return replaced(page, name, tables.filter(Boolean).join("\n\n"));
}

function replaced(readme: string, name: string, rows: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(open), readme.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`There are no markers ${open} and ${close} in this order.`);
  return `${readme.slice(0, from + open.length)}\n${rows}\n${readme.slice(to)}`;
}

const root = join(__dirname, "..");
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

/** The root's action.yml: that of deploy-and-verify, seen from another folder. */
const rootAction = (): string =>
  `# The same as actions/deploy-and-verify, for \`uses: org/hello-devops@v1\`; written by npm run docs.\n${textOf("actions/deploy-and-verify/action.yml").replaceAll(" ../../dist/", " dist/")}`;

const reusable = ["pipeline", "test", "build", "deploy", "verify", "rollback"];

/** Each file that is written, as it should be. */
export const pages = (): readonly (readonly [file: string, text: string])[] => [
  ["action.yml", rootAction()],
  [
    "docs/workflows.md",
    reusable.reduce(
      (page, name) => withWorkflow(page, name, textOf(`.github/workflows/${name}.yml`)),
      textOf("docs/workflows.md"),
    ),
  ],
  ...readdirSync(join(root, "actions")).map((action) => {
    const [readme, yml] = [`actions/${action}/README.md`, `actions/${action}/action.yml`];
    return [readme, withTables(textOf(readme), textOf(yml))] as const;
  }),
];

function main(check: boolean): void {
  for (const [file, text] of pages()) {
    if (textOf(file) === text) continue;
    if (!check) writeFileSync(join(root, file), text);
    process.stdout.write(`${file}: ${check ? "not as action.yml says; run npm run docs" : "written"}\n`);
    if (check) process.exitCode = 1;
  }
}

if (require.main === module) main(process.argv.includes("--check"));
