import * as core from "@actions/core";
import { runAction } from "../../src/github/run-action";
import { main } from "./main";

runAction(core, main);
