import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { withTables } from "../../../scripts/docs";
import { root } from "./deploy-inputs";

const actions = readdirSync(join(root, "actions"));

test.each(actions)("the tables in the README of %s are those of its action.yml", (action) => {
  const readme = readFileSync(join(root, "actions", action, "README.md"), "utf8");
  const yml = readFileSync(join(root, "actions", action, "action.yml"), "utf8");
  expect(withTables(readme, yml)).toBe(readme);
});

test("a description keeps its pipes inside of its cell", () => {
  const yml = 'inputs: { a: { description: "x | y\\nz", default: "1|2" }, b: { description: q, required: true } }';
  const readme = "<!-- inputs -->\nold\n<!-- /inputs -->\n<!-- outputs -->\n<!-- /outputs -->\n";
  expect(withTables(readme, yml)).toContain(
    "| `a`   | x \\| y z | `1\\|2`   |\n| `b`   | q        | required |\n<!-- /inputs -->",
  );
});

test("a README without markers is refused", () => {
  expect(() => withTables("# x", "inputs: {}")).toThrow("There are no markers <!-- inputs --> and <!-- /inputs -->");
});
