// Writes what is made from other files: the tables of inputs and outputs in actions/*/README.md (from action.yml) and in
// docs/workflows.md (from the reusable workflows) and terraform/ (from its variables and outputs), between their markers, and
// the root's action.yml.
// Usage: node scripts/run.mjs scripts/docs.ts [--check]     --check: change nothing, fail when a table is not as it should be
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { replaced, table } from "./docs/table";
import { withModule } from "./docs/terraform";

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

const root = join(__dirname, "..");
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

/** The root's action.yml: that of deploy-and-verify, seen from another folder. */
const rootAction = (): string =>
  `# The same as actions/deploy-and-verify, for \`uses: org/hello-devops@v1\`; written by npm run docs.\n${textOf("actions/deploy-and-verify/action.yml").replaceAll(" ../../dist/", " dist/")}`;

const reusable = ["pipeline", "test", "build", "deploy", "verify", "rollback", "terraform", "drift"];

/** A file, and what it should be. */
type Page = readonly [file: string, text: string];

const modules = ["terraform", "terraform/bootstrap"];

/** Each file that is written. */
export async function pages(): Promise<readonly Page[]> {
  const ofTerraform = modules.map(async (folder): Promise<Page> => {
    const readme = `${folder}/README.md`;
    return [readme, await withModule(textOf(readme), join(root, folder))];
  });
  return [...ofActions(), ...(await Promise.all(ofTerraform))];
}

const ofActions = (): readonly Page[] => [
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

async function main(check: boolean): Promise<void> {
  for (const [file, text] of await pages()) {
    if (textOf(file) === text) continue;
    if (!check) writeFileSync(join(root, file), text);
    process.stdout.write(`${file}: ${check ? "not as action.yml says; run npm run docs" : "written"}\n`);
    if (check) process.exitCode = 1;
  }
}

if (require.main === module) void main(process.argv.includes("--check"));
