import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { run } from "../bed/run";
import { all, root } from "../unit/workflows/files";
import { tool } from "./tools";

test("zizmor, at its most pedantic, finds nothing in workflows and actions but what is excused beside the line", async () => {
  const actions = ["actions", ".github/actions"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/action.yml`),
  );
  const files = [...all.map(({ path }) => path), ...actions, "action.yml"];
  const words = ["--offline", "--persona=pedantic", "--no-progress", "--format=json-v1", ...files];
  expect(JSON.parse(await run(await tool("zizmor"), words, { cwd: root }))).toEqual([]);
}, 120_000);

test("and it finds what is wrong", async () => {
  const step = ["- run: echo $", "{{ github.head_ref }}"].join("");
  const bad = `on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      ${step}\n`;
  const found = run(await tool("zizmor"), ["--offline", "--format=json-v1", "-"], { input: bad });
  await expect(found).rejects.toMatchObject({ output: expect.stringContaining("template-injection") });
}, 60_000);
