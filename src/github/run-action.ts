import { UserError } from "../user-error";
import { safeText } from "./hostile-text";
import { type InputSource, inputsOfRunner } from "./input-source";

/** What of @actions/core the edge of an action needs. */
interface Core {
  setFailed(message: string): void;
  debug(message: string): void;
}

/** Runs a step of an action and ends the process with it. What it throws is a wrong input, or a bug. */
export function runAction(core: Core, step: (io: InputSource) => Promise<void>): void {
  step(inputsOfRunner(process.env))
    .catch((error: Error) => {
      const bug = error instanceof UserError ? "" : "This is a bug in hello-devops, please report it: ";
      core.setFailed(`${bug}${error.message.split("\n").map(safeText).join("\n")}`);
      core.debug(String(error.stack));
    })
    .finally(() => process.exit()); // nothing that is still open may hold the job
}
