import * as core from "@actions/core";
import { safeText } from "../../src/github/hostile-text";
import { inputsOfRunner } from "../../src/github/input-source";
import { UserError } from "../../src/user-error";
import { main } from "./main";
import { post } from "./post";

process.noDeprecation = true; // docker-modem calls url.parse(); a job log is no place to hear of it

// One bundle for both steps: only the post step finds what main has saved.
const step = core.getState("transaction") ? post : main;

step(inputsOfRunner(process.env))
  .catch((error: Error) => {
    const bug = error instanceof UserError ? "" : "This is a bug in hello-devops, please report it: ";
    core.setFailed(`${bug}${error.message.split("\n").map(safeText).join("\n")}`);
    core.debug(String(error.stack));
  })
  .finally(() => process.exit()); // nothing that is still open may hold the job
