import { afterAll, expect, jest } from "@jest/globals";
import { type Linter, linters } from "./linters";
import { titled, withTerraform } from "./with-terraform";
import { Workspace } from "./workspace";

jest.setTimeout(1_200_000); // the first run builds and installs them

const names = Object.keys(linters) as readonly Linter[];

/** A file with one fault that only this linter sees, and its words for it. */
const canaries: Readonly<Record<Linter, readonly [text: string, words: string]>> = {
  format: ['locals {\n  canary_format     = "format"\n}\n', "is not as terraform fmt writes it"],
  validate: ['resource "aws_sns_topic" "canary" {\n  nmae = "canary"\n}\n', 'An argument named "nmae" is not expected'],
  tflint: ['variable "canary" {\n  type = string\n}\n', "terraform_documented_variables"],
  checkov: ['resource "aws_ebs_volume" "canary" {}\n', "CKV_AWS_3"],
};
const fileOf = (name: Linter) => `canary-${name}.tf`;

const made: Workspace[] = [];
function copy(...settings: ConstructorParameters<typeof Workspace>): Workspace {
  const workspace = new Workspace(...settings);
  made.push(workspace);
  return workspace;
}
afterAll(() => {
  for (const workspace of made) workspace.end();
});

withTerraform.each(names)(titled("%s finds nothing in terraform/"), async (name) => {
  expect(await linters[name](copy("terraform"))).toEqual([]);
});

withTerraform(titled("validate finds nothing in terraform/bootstrap/"), async () => {
  expect(await linters.validate(copy("terraform/bootstrap"))).toEqual([]);
});

withTerraform.each(names)(titled("%s can see a fault"), async (name) => {
  const [text, words] = canaries[name];
  const spoiled = copy("terraform");
  spoiled.write(fileOf(name), text);
  const found = await linters[name](spoiled);
  expect(found.filter((line) => line.startsWith(`${fileOf(name)}:`) && line.includes(words))).not.toEqual([]);
});
