import * as core from "@actions/core";
import { commitsBetween } from "../../src/github/commits";
import type { InputSource } from "../../src/github/input-source";
import type { DeployInputs } from "../../src/github/inputs";
import { type Mask, masked } from "../../src/github/mask";
import { annotationOf, outputsOf } from "../../src/github/outputs";
import { summaryOf } from "../../src/github/summary";
import type { Outcome } from "../../src/release/outcome";

/** Outputs, one annotation, the summary, and the step's colour: only `deployed` and `unchanged` are green. */
export async function report(raw: Outcome, inputs: DeployInputs, io: InputSource, mask: Mask): Promise<void> {
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

async function factsOf(outcome: Outcome, inputs: DeployInputs, io: InputSource) {
  const { app, version, image, safety } = inputs.request;
  const left = outcome.failure === undefined || safety.keepFailed;
  const repository = { server: io.env.GITHUB_SERVER_URL ?? "https://github.com", name: io.env.GITHUB_REPOSITORY ?? "" };
  const commits = inputs.githubToken
    ? await commitsBetween({ previous: outcome.previous?.version, next: version }, repository, {
        octokit: (await octokitOnDemand()).getOctokit(inputs.githubToken),
        debug: core.debug,
      })
    : undefined;
  const container = left && outcome.release !== "" ? `${app}-${outcome.release}` : undefined;
  return { app, version, image: image.name, container, commits };
}

/** Run where it is used, for every start of the action would wait for it; in the bundle itself, not in a file beside it. */
const octokitOnDemand = () => import(/* webpackMode: "eager" */ "@actions/github");
