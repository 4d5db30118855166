import { runStep } from "../../src/edge/steps";
import { main } from "./main";

// Each name that is looked for takes a thread; Node has 4 unless it is told before the first is needed.
process.env.UV_THREADPOOL_SIZE ??= "64";

runStep(main);
