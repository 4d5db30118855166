import { expect, test } from "@jest/globals";
import { actionBy, calledBy, examples } from "./files";

interface Use {
  readonly uses: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
}

/** Every place in a page's YAML that uses something of ours. */
const uses: readonly (readonly [page: string, n: number, use: Use])[] = examples.flatMap(({ page, number, content }) =>
  found(content).map((use) => [page, number, use] as const),
);

function found(node: unknown): readonly Use[] {
  if (typeof node !== "object" || node === null) return [];
  const { uses: name } = node as { readonly uses?: unknown };
  const here = typeof name === "string" && name.startsWith("org/hello-devops") ? [node as Use] : [];
  return [...here, ...Object.values(node).flatMap(found)];
}

const keysOf = (fields: object | undefined): readonly string[] => Object.keys(fields ?? {});
const requiredOf = (fields: Readonly<Record<string, { readonly required?: boolean }>> | undefined) =>
  Object.entries(fields ?? {}).flatMap(([name, { required }]) => (required ? [name] : []));

test("the pages show our actions and workflows in use", () => {
  const shown = new Set(uses.map(([, , use]) => use.uses.replace(/@.*/, "")));
  for (const name of ["", "/actions/deploy-ec2", "/actions/verify-health", "/.github/workflows/pipeline.yml"])
    expect([...shown]).toContain(`org/hello-devops${name}`);
});

test.each(uses)("%s, example %i uses what is there, with inputs and secrets that it has", (_page, _n, use) => {
  const { inputs, secrets } = use.uses.includes("/.github/workflows/")
    ? (calledBy(use.uses).on.workflow_call ?? {})
    : { inputs: actionBy(use.uses)?.inputs, secrets: {} };
  expect(keysOf(inputs)).not.toEqual([]);
  expect(keysOf(use.with).filter((name) => !keysOf(inputs).includes(name))).toEqual([]);
  expect(keysOf(use.secrets).filter((name) => !keysOf(secrets).includes(name))).toEqual([]);
  expect(requiredOf(inputs).filter((name) => !keysOf(use.with).includes(name))).toEqual([]);
  expect(requiredOf(secrets).filter((name) => !keysOf(use.secrets).includes(name))).toEqual([]);
  for (const [name, value] of Object.entries(use.with ?? {})) {
    const type = (inputs as Record<string, { readonly type?: string }>)[name]?.type;
    if (type && !String(value).includes("${{")) expect([name, typeof value]).toEqual([name, type]);
  }
});
