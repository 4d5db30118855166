import { runStep } from "../../src/edge/steps";
import { main } from "./main";

runStep(main);
