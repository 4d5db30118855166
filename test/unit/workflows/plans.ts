// Plans of Terraform for the tests, as it told them (plans/make.sh), and what our jq programs make of one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./files";

export interface Plan {
  readonly terraform_version: string;
  readonly timestamp: string;
  readonly resource_changes: readonly { readonly address: string; readonly change: object }[];
}

const folder = join(__dirname, "plans");
const programs = join(root, ".github/actions");

/** By the kind of change. */
export const plans: Readonly<Record<string, Plan>> = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name.replace(".json", ""), JSON.parse(readFileSync(join(folder, name), "utf8")) as Plan]),
);

export function plan(kind: string): Plan {
  const found = plans[kind];
  if (!found) throw new Error(`there is no plan of the kind ${kind}`);
  return found;
}

/** @returns what the words print */
export function jq(input: unknown, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("jq", words, {
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** A definition of terraform-plan/plan.jq. */
export const asked = <T>(of: unknown, definition: string): T =>
  JSON.parse(jq(of, "-S", "-L", join(programs, "terraform-plan"), `include "plan"; ${definition}`)) as T;

export const difference = (approved: Plan, now: Plan): readonly string[] =>
  jq(
    { approved: asked(approved, "seen"), now: asked(now, "seen") },
    "-r",
    "-f",
    join(programs, "terraform-apply/difference.jq"),
  )
    .split("\n")
    .filter(Boolean);

const told = {
  ...{ directory: "terraform", environment: "infrastructure", words: "1 to update", reason: "", destroyed: [] },
  ...{ hash: "a".repeat(64), commit: "0123456789abcdef0123456789abcdef01234567", marker: "<!-- terraform-plan 1 -->" },
  ...{ run: "https://github.com/acme/shop/actions/runs/1" },
};

/** What terraform-plan/report.jq writes. */
export function report(text: string, facts: object = {}, limit = 65536): string {
  const file = join(mkdtempSync(join(tmpdir(), "hello-devops-plan-")), "text"); // it is too long for an argument
  try {
    writeFileSync(file, text);
    const words = ["-j", "--rawfile", "text", file, "--argjson", "limit", String(limit)];
    return jq({ ...told, ...facts }, ...words, "-f", join(programs, "terraform-plan/report.jq"));
  } finally {
    rmSync(dirname(file), { recursive: true });
  }
}
