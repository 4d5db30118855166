import * as core from "@actions/core";
import { runAction } from "../../src/github/run-action";
import { main } from "./main";
import { post } from "./post";

process.noDeprecation = true; // docker-modem calls url.parse(); a job log is no place to hear of it

// One bundle for both steps: only the post step finds what main has saved.
runAction(core, core.getState("transaction") ? post : main);
