import * as core from "@actions/core";
import { safeText } from "../github/hostile-text";
import { type InputSource, inputsOfRunner } from "../github/input-source";
import { UserError } from "../user-error";

type Step = (io: InputSource) => Promise<void>;

/**
 * Runs an action's step as the runner started it. One bundle for both steps: only the post step finds what main has saved.
 */
export function runStep(main: Step, post?: Step): void {
  process.noDeprecation = true; // docker-modem calls url.parse(); a job log is no place to hear of it
  const afterMain = core.getState("begun") === "true";
  if (post && !afterMain) core.saveState("begun", "true");
  const step = post && afterMain ? post : main;
  step(inputsOfRunner(process.env))
    .catch((error: Error) => {
      const bug = error instanceof UserError ? "" : "This is a bug in hello-devops, please report it: ";
      core.setFailed(`${bug}${error.message.split("\n").map(safeText).join("\n")}`);
      core.debug(String(error.stack));
    })
    .finally(() => process.exit()); // nothing that is still open may hold the job
}
