import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, jest } from "@jest/globals";
import { checkout } from "../bed/bed";
import { RunError } from "../bed/run";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";
import { type Root, Workspace } from "./workspace";

// The tests written in Terraform's own language, each of their runs told as a test: with a provider that is mocked.
jest.setTimeout(900_000); // each run starts the provider anew

const roots: readonly Root[] = ["terraform", "terraform/bootstrap"];

interface Run {
  readonly status: string;
  /** What Terraform said against it. */
  readonly said: readonly string[];
}

/** A line of `terraform test -json`. */
interface Line {
  readonly "@testfile"?: string;
  readonly "@testrun"?: string;
  readonly test_run?: { readonly progress: string; readonly status?: string };
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly detail: string };
}

const key = (file = "", run = ""): string => `${file}: ${run}`;

function written(root: Root): readonly string[] {
  const folder = join(checkout, root, "tests");
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".tftest.hcl")) : [];
  return files.flatMap((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    return [...text.matchAll(/^run "([^"]+)"/gm)].map(([, run]) => key(`tests/${name}`, run));
  });
}

async function run(root: Root): Promise<ReadonlyMap<string, Run>> {
  const workspace = new Workspace(root);
  try {
    await workspace.init("-backend=false");
    const said = await workspace.terraform("test", "-json", "-no-color").catch((error: unknown) => {
      if (error instanceof RunError) return error.output;
      throw error;
    });
    return read(said);
  } finally {
    workspace.end();
  }
}

function read(said: string): ReadonlyMap<string, Run> {
  const runs = new Map<string, Run>();
  const add = (name: string, { status, said = [] }: Partial<Run>) => {
    const known = runs.get(name) ?? { status: "did not run", said: [] };
    runs.set(name, { status: status ?? known.status, said: [...known.said, ...said] });
  };
  for (const text of said.split("\n").filter((line) => line.startsWith("{"))) {
    const line = JSON.parse(text) as Line;
    const name = key(line["@testfile"], line["@testrun"]);
    const { test_run: run, diagnostic } = line;
    if (run?.progress === "complete") add(name, { status: run.status ?? "unknown" });
    if (diagnostic?.severity === "error") add(name, { said: [`${diagnostic.summary}: ${diagnostic.detail}`] });
  }
  return runs;
}

describe.each(roots)("%s", (root) => {
  const names = written(root);
  let runs: ReadonlyMap<string, Run> = new Map();

  beforeAll(async () => {
    if (missing === "") runs = await run(root);
  });

  withTerraform(titled("runs the tests that are written, all of them, and no others"), () => {
    expect(names).not.toEqual([]);
    expect([...runs.keys()].sort()).toEqual([...names].sort());
  });

  withTerraform.each(names)(titled("%s"), (name) => {
    expect(runs.get(name)).toEqual({ status: "pass", said: [] });
  });
});
