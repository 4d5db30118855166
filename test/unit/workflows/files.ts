import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const root = join(__dirname, "../../..");

export interface Field {
  readonly description?: string;
  readonly type?: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly value?: string;
}
type Fields = Readonly<Record<string, Field>>;

export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export type Permissions = Readonly<Record<string, "read" | "write">>;

export interface Job {
  readonly name?: string;
  readonly uses?: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly steps?: readonly Step[];
  readonly environment?: unknown;
  readonly concurrency?: unknown;
  readonly permissions?: Permissions;
  readonly "timeout-minutes"?: unknown;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface Workflow {
  readonly name?: string;
  readonly permissions?: Permissions;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly on: { readonly workflow_call?: { inputs?: Fields; secrets?: Fields; outputs?: Fields } };
}

export interface File {
  /** from the repository's top */
  readonly path: string;
  readonly text: string;
  readonly workflow: Workflow;
}

const filesIn = (folder: string): readonly File[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), "utf8");
      return { path: `${folder}/${name}`, text, workflow: parse(text) as Workflow };
    });

/** What users copy. */
export const callers = filesIn("workflows");
const own = filesIn(".github/workflows");
/** What users call. */
export const reusable = own.filter(({ workflow }) => workflow.on.workflow_call);
export const all = [...own, ...callers];

/** A workflow of ours by the reference in a job's `uses`. */
export function calledBy(uses: string): Workflow {
  const name = /^(?:\$\/|org\/hello-devops\/)\.github\/workflows\/([a-z-]+\.yml)(?:@v1)?$/.exec(uses)?.[1];
  const file = reusable.find(({ path }) => path === `.github/workflows/${name}`);
  if (!file) throw new Error(`there is no reusable workflow ${uses}`);
  return file.workflow;
}

const pages = [
  "README.md",
  ...readdirSync(join(root, "docs")).flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : [])),
  ...readdirSync(join(root, "actions")).map((name) => `actions/${name}/README.md`),
];

/** Each YAML that a page shows. */
export const examples = pages.flatMap((page) =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, text = ""], n) => ({
    page,
    number: n + 1,
    text,
    content: parse(text) as unknown,
  })),
);

interface Action {
  readonly inputs?: Fields;
  readonly outputs?: Fields;
}

/** An action of ours by the reference in a step's `uses`; undefined = it is another's. */
export function actionBy(uses: string): Action | undefined {
  const folder = /^(?:\$\/|org\/hello-devops(?:\/|@))([a-z0-9./-]*?)(?:@v1|v1)?$/.exec(uses)?.[1];
  if (folder === undefined) return undefined;
  return parse(readFileSync(join(root, folder, "action.yml"), "utf8")) as Action;
}

export const stepsOf = ({ workflow }: File): readonly Step[] =>
  Object.values(workflow.jobs).flatMap(({ steps }) => steps ?? []);
