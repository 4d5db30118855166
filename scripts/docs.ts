// Writes the tables of inputs and outputs into actions/*/README.md, between the markers, from action.yml.
// Usage: node scripts/run.mjs scripts/docs.ts [--check]     --check: change nothing, fail when a table is not as it should be
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Field {
  readonly description: string;
  readonly required?: boolean;
  readonly default?: string;
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

function replaced(readme: string, name: string, rows: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(open), readme.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`There are no markers ${open} and ${close} in this order.`);
  return `${readme.slice(0, from + open.length)}\n${rows}\n${readme.slice(to)}`;
}

function main(check: boolean): void {
  const root = join(__dirname, "..");
  for (const action of readdirSync(join(root, "actions"))) {
    const path = join(root, "actions", action, "README.md");
    const yml = join(root, "actions", action, "action.yml");
    const now = readFileSync(path, "utf8");
    const should = withTables(now, readFileSync(yml, "utf8"));
    if (now === should) continue;
    if (!check) writeFileSync(path, should);
    process.stdout.write(
      `actions/${action}/README.md: ${check ? "not as action.yml says; run npm run docs" : "written"}\n`,
    );
    if (check) process.exitCode = 1;
  }
}

if (require.main === module) main(process.argv.includes("--check"));
