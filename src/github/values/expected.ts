import { compile, getRegisteredFunctions } from "@jmespath-community/jmespath";
import type { HeaderRule, JsonComparison, Operator, VersionSource } from "../../health/request";
import { UserError } from "../../user-error";
import { headerName, pattern } from "./health";
import { lines, type Parse } from "./parse";
import { shown } from "./shown";

const mostRules = 50;

/** `Name: value`, `Name: /pattern/`, or `Name` alone, one a line. */
export const headerRules: Parse<HeaderRule[]> = (name, text) =>
  few(name, lines(text)).map((line) => {
    const [, header = "", value] = /^([^:\s]+)\s*(?::\s*(.*))?$/.exec(line.text) ?? [];
    if (!headerName.test(header) || value === "")
      throw new UserError(
        `${name}: line ${line.number} is no header; write Name: value, Name: /pattern/, or Name alone.`,
      );
    const [, source] = /^\/(.+)\/$/.exec(value ?? "") ?? [];
    return { name: header, is: source === undefined ? value : pattern(`${name}: line ${line.number}`, source) };
  });

/** `path = value` lines; the path is JMESPath. */
export const jsonComparisons: Parse<JsonComparison[]> = (name, text) =>
  few(name, lines(text)).map((line) => comparison(`${name}: line ${line.number}`, line.text));

function few<T>(name: string, rules: readonly T[]): readonly T[] {
  if (rules.length <= mostRules) return rules;
  throw new UserError(`${name}: got ${rules.length} lines; at most ${mostRules} are checked.`);
}

/** The first operator whose left side is a whole path: `items[?age < \`5\`]` holds one of its own. */
function comparison(where: string, text: string): JsonComparison {
  let problem: string | undefined;
  for (const match of text.matchAll(/\s(=|!=|<=?|>=?)(?=\s|$)/g)) {
    const path = text.slice(0, match.index).trim();
    const wrong = problemOf(path);
    problem ??= wrong;
    if (wrong !== undefined) continue;
    const operator = match[1] as Operator;
    const value = text.slice(match.index + match[0].length).trim();
    refuseValue(where, operator, value);
    return { text, path, operator, value };
  }
  if (problem !== undefined) throw new UserError(`${where} has a path that is not JMESPath (${problem}).`);
  throw new UserError(
    `${where} is no comparison; write path = value with spaces around the operator: =, !=, <, <=, > or >=.`,
  );
}

function refuseValue(where: string, operator: Operator, value: string): void {
  if (value === "") throw new UserError(`${where} has nothing to compare with; write "" for an empty text.`);
  if (operator === "=" || operator === "!=" || /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return;
  throw new UserError(`${where} compares by ${operator}, which needs a number, got ${shown(value)}.`);
}

/** `header:Name` or `json:path`. */
export const versionSource: Parse<VersionSource> = (name, text) => {
  const [, kind, rest = ""] = /^(header|json):\s*(.+)$/s.exec(text) ?? [];
  if (kind === "header" && headerName.test(rest)) return { header: rest };
  if (kind !== "json") throw new UserError(`${name}: expected header:X-Release or json:path, got ${shown(text)}.`);
  const problem = problemOf(rest);
  if (problem === undefined) return { json: rest };
  throw new UserError(`${name}: ${shown(rest)} is not JMESPath (${problem}).`);
};

/** undefined = it is JMESPath. A function's name is looked at only as it is called, which is too late for a person. */
function problemOf(path: string): string | undefined {
  try {
    const unknown = functionsIn(compile(path)).find((called) => !functions.has(called));
    return unknown && `there is no function ${unknown}`;
  } catch (error) {
    return (error as Error).message.replace(/^Syntax error: /, "");
  }
}

const functions = new Set<string>(getRegisteredFunctions());

function functionsIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { type, name } = node as { readonly type?: unknown; readonly name?: unknown };
  const own = type === "Function" ? [String(name)] : [];
  return [...own, ...Object.values(node).flatMap(functionsIn)];
}
