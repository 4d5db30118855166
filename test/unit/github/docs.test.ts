import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { pages, withTables } from "../../../scripts/docs";
import { root } from "./deploy-inputs";

test.each(pages())("%s is as the action.yml beside it says", (file, text) => {
  expect(readFileSync(join(root, file), "utf8")).toBe(text);
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
