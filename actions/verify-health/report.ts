import * as core from "@actions/core";
import type { InputSource } from "../../src/github/input-source";
import { type Mask, maskedVerify } from "../../src/github/mask";
import type { VerifyInputs } from "../../src/github/verify-inputs";
import { verifyAnnotationOf, verifyOutputsOf } from "../../src/github/verify-outputs";
import { verifySummaryOf } from "../../src/github/verify-summary";
import type { VerifyOutcome } from "../../src/health/outcome";

/** Outputs, one annotation, the summary, and the step's colour. A cancelled step is red, whatever `fail` says. */
export async function report(raw: VerifyOutcome, inputs: VerifyInputs, io: InputSource, mask: Mask): Promise<void> {
  const outcome = maskedVerify(raw, mask);
  for (const [name, value] of Object.entries(verifyOutputsOf(outcome))) core.setOutput(name, value);
  const fails = outcome.status !== "healthy" && (inputs.fail || outcome.cancelled);
  const annotation = verifyAnnotationOf(outcome);
  const annotate = fails ? core.error : core.warning;
  if (annotation) annotate(annotation.message, { title: annotation.title });
  if (inputs.summary && io.env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(verifySummaryOf(outcome)).write();
  if (fails) process.exitCode = core.ExitCode.Failure;
}
