import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { pages, withTables } from "../../../scripts/docs";
import { withModule } from "../../../scripts/docs/terraform";
import { root } from "./deploy-inputs";

test("the tables of each page are as the files say that they come from", async () => {
  const written = await pages();
  expect(written.length).toBeGreaterThan(6);
  for (const [file, text] of written) expect([file, readFileSync(join(root, file), "utf8")]).toEqual([file, text]);
});

test("a variable of Terraform has its type and default in the table, and one without a default is required", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-module-"));
  writeFileSync(
    join(folder, "variables.tf"),
    'variable "a" {\n  description = "x"\n  type = list(string)\n  default = []\n}\nvariable "b" {\n  description = "y"\n  type = object({\n    c = number\n  })\n}\n',
  );
  writeFileSync(join(folder, "outputs.tf"), 'output "o" {\n  description = "z"\n  value = 1\n}\n');
  const page = await withModule(
    "<!-- inputs -->\n<!-- /inputs -->\n<!-- outputs -->\n<!-- /outputs -->",
    folder,
  ).finally(() => rmSync(folder, { recursive: true }));
  expect(page.replaceAll(/ +/g, " ")).toContain(
    "| `a` | x | `list(string)` | `[]` |\n| `b` | y | `object({ c = number })` | required |",
  );
  expect(page).toContain("| `o`    | z       |");
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
