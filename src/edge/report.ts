import * as core from "@actions/core";
import { commitsBetween } from "../github/commits";
import type { ChangeInputs } from "../github/host-inputs";
import type { InputSource } from "../github/input-source";
import { type Mask, masked } from "../github/mask";
import { annotationOf } from "../github/outputs";
import { summaryOf } from "../github/summary";
import type { Outcome } from "../release/outcome";

/** Outputs, one annotation, the summary, and the step's colour: only `deployed` and `unchanged` are green. */
export async function report<O extends Outcome>(
  raw: O,
  outputsOf: (outcome: O) => Readonly<Record<string, string>>,
  inputs: ChangeInputs,
  io: InputSource,
  mask: Mask,
): Promise<void> {
  const outcome = masked(raw, mask);
  for (const [name, value] of Object.entries(outputsOf(outcome))) core.setOutput(name, value);
  const annotation = annotationOf(outcome);
  if (annotation) core.error(annotation.message, { title: annotation.title });
  if (raw.failure?.cause) core.debug(String((raw.failure.cause as Error).stack));
  if (inputs.summary && io.env.GITHUB_STEP_SUMMARY) {
    await core.summary.addRaw(summaryOf(outcome, await factsOf(outcome, inputs, io))).write();
  }
  if (outcome.failure) process.exitCode = core.ExitCode.Failure;
}

async function factsOf(outcome: Outcome, inputs: ChangeInputs, io: InputSource) {
  const { app } = inputs.request;
  const repository = { server: io.env.GITHUB_SERVER_URL ?? "https://github.com", name: io.env.GITHUB_REPOSITORY ?? "" };
  const commits = inputs.githubToken
    ? await commitsBetween({ previous: outcome.previous?.version, next: outcome.version }, repository, {
        octokit: (await octokitOnDemand()).getOctokit(inputs.githubToken),
        debug: core.debug,
      })
    : undefined;
  const container = outcome.containerLeft && outcome.release !== "" ? `${app}-${outcome.release}` : undefined;
  return { app, container, commits };
}

/** Run where it is used, for every start of the action would wait for it; in the bundle itself, not in a file beside it. */
const octokitOnDemand = () => import(/* webpackMode: "eager" */ "@actions/github");
