// The tables of a Terraform module's page: its variables and outputs, by HashiCorp's own parser (compiled to WebAssembly).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@cdktn/hcl2json";
import { replaced, table } from "./table";

interface Variable {
  readonly description: string;
  /** An expression: `${list(string)}`. */
  readonly type: string;
  /** As HCL has it, `null` where it says so. */
  readonly default?: unknown;
}

interface Module {
  readonly variable?: Readonly<Record<string, readonly Variable[]>>;
  readonly output?: Readonly<Record<string, readonly { readonly description: string }[]>>;
}

/** @param folder the module's, with a variables.tf and an outputs.tf */
export async function withModule(readme: string, folder: string): Promise<string> {
  const { variable = {} } = await read(folder, "variables.tf");
  const { output = {} } = await read(folder, "outputs.tf");
  const inputs = Object.entries(variable).flatMap(([name, them]) => them.map((it) => variableRow(name, it)));
  const outputs = Object.entries(output).flatMap(([name, them]) => them.map((it) => [`\`${name}\``, it.description]));
  const withInputs = replaced(readme, "inputs", table(["Variable", "Meaning", "Type", "Default"], inputs));
  return replaced(withInputs, "outputs", table(["Output", "Meaning"], outputs));
}

const read = async (folder: string, file: string): Promise<Module> =>
  parse(file, readFileSync(join(folder, file), "utf8"));

function variableRow(name: string, variable: Variable): string[] {
  const type = variable.type.replace(/^\$\{|\}$/g, "").replace(/\s+/g, " ");
  const given = "default" in variable ? written(variable.default) : "required";
  return [`\`${name}\``, variable.description, `\`${type}\``, given];
}

const written = (value: unknown): string => (value === "" ? "" : `\`${JSON.stringify(value)}\``);
