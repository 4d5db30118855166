import { beforeAll, expect, jest, test } from "@jest/globals";
import { canaries } from "./canaries";
import { files, type Linter, linters, shown, type Texts } from "./linters";

jest.setTimeout(300_000); // the first run builds and installs them

const names = Object.keys(linters) as readonly Linter[];
const said = new Map<Linter, readonly string[]>();

beforeAll(async () => {
  const texts: Texts = Object.assign({}, ...canaries.map((canary) => canary.texts));
  for (const name of names) said.set(name, await linters[name](texts));
});

test.each(names)("%s finds nothing in workflows and actions but what is excused beside the line", async (name) => {
  expect(await linters[name](files)).toEqual([]);
});

test("the files that the pages show whole are as good as those to copy: who copies one passes his own checks", async () => {
  expect(Object.keys(shown)).toHaveLength(7);
  const { actionlint, languageService, zizmor } = linters;
  expect([
    ...(await actionlint(shown)),
    ...(await languageService({ ...files, ...shown })),
    ...(await zizmor(shown, "regular")),
  ]).toEqual([]);
});

test.each(
  canaries.map((canary) => [Object.keys(canary.seen).join(" and ") || "no linter", canary.fault, canary] as const),
)("%s can see that %s", (_, __, { texts, seen }) => {
  const found: Partial<Record<Linter, string>> = {};
  for (const name of names) {
    const lines =
      said.get(name)?.filter((line) => Object.keys(texts).some((path) => line.startsWith(`${path}:`))) ?? [];
    const words = seen[name];
    const named = lines.map((line) => (words !== undefined && line.includes(words) ? words : line));
    if (named.length > 0) found[name] = [...new Set(named)].join("\n"); // a fault may be named at both its ends
  }
  expect(found).toEqual(seen);
});
