import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { all, stepsOf } from "./files";

/** The commit of the run. */
export const sha = "0123456789abcdef0123456789abcdef01234567";

export interface Ended {
  readonly code: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** The script of one step, as the runner starts it. */
export function step(workflow: string, name: string, env: Readonly<Record<string, string>>): Ended {
  const file = all.find(({ path }) => path === `.github/workflows/${workflow}.yml`);
  const run = file && stepsOf(file).find((it) => it.name === name)?.run;
  if (!run) throw new Error(`${workflow}.yml has no step "${name}" with a script`);
  return bash(["--noprofile", "--norc", "-eo", "pipefail", "-c", run], env);
}

/** What a step runs: words for bash. */
export function bash(words: readonly string[], env: Readonly<Record<string, string>>): Ended {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-script-"));
  try {
    const [output, summary] = ["output", "summary"].map((part) => join(folder, part)) as [string, string];
    for (const path of [output, summary]) writeFileSync(path, "");
    const files = {
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_SHA: sha,
      RUNNER_TEMP: folder,
      PATH: process.env.PATH ?? "",
    };
    const { status, stdout, stderr } = spawnSync("bash", words, { env: { ...files, ...env }, encoding: "utf8" });
    const pairs = readFileSync(output, "utf8").split("\n").filter(Boolean);
    const outputs = Object.fromEntries(pairs.map((pair) => [pair.replace(/=.*/s, ""), pair.replace(/^[^=]*=/, "")]));
    return { code: status, log: `${stdout}${stderr}`, outputs, summary: readFileSync(summary, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same with a program that is played: the branches of a `case "$*"`. It notes what it is asked for. */
export const stepWith = (
  program: string,
  branches: readonly string[],
  ...[workflow, name, env]: Parameters<typeof step>
): Asked => playing(program, branches, (PATH) => step(workflow, name, { ...env, PATH }));

type Asked = Ended & { readonly asked: readonly string[] };

/** @param start gets a PATH on which the program is */
export function playing(program: string, branches: readonly string[], start: (path: string) => Ended): Asked {
  const folder = mkdtempSync(join(tmpdir(), `hello-devops-${program}-`));
  const asked = join(folder, "asked");
  const script = ["#!/bin/bash", `echo "$*" >>"${asked}"`, 'case "$*" in', ...branches, "*) exit 1 ;;", "esac"].join(
    "\n",
  );
  writeFileSync(asked, "");
  writeFileSync(join(folder, program), script, { mode: 0o755 });
  try {
    const ended = start(`${folder}:${process.env.PATH}`);
    return { ...ended, asked: readFileSync(asked, "utf8").split("\n").filter(Boolean) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
