import { spawn } from "node:child_process";
import type { Bed, BedHost } from "../../test/bed/bed";
import { Load } from "../../test/support/load";
import { good } from "../../test/support/quick";
import { basicInputs, defaultsOf, type Inputs, type Step, startStep } from "../../test/support/runner";
import { plainScript } from "../plain-script";
import { newRelease } from "./images";
import { type Phase, Timeline } from "./timeline";

export const BAKE = 1000;
const defaults = defaultsOf("deploy-ec2");

/** Asks all the while, on a kept connection and on new ones: its last answer of a release is when the other had it all. */
export const poller = (host: BedHost): Load => new Load(host.url, { keepAlive: 1, fresh: 1, pause: 4, limit: 180_000 });

/** As a user runs it: the defaults, but for `bake-time`, which is not counted. */
export const inputsFor = (bed: Bed, host: BedHost, release: { version: string; reference: string }): Inputs => ({
  ...basicInputs(bed, host, release.reference),
  version: release.version,
  "health-interval": defaults["health-interval"] ?? "",
  "start-timeout": defaults["start-timeout"] ?? "",
  "bake-time": `${BAKE}ms`,
});

export function deploying(inputs: Inputs): { step: Step; timeline: Timeline } {
  const step = startStep("deploy-ec2", inputs);
  return { step, timeline: new Timeline(step) };
}

export interface Run {
  /** from the start of the process until only the new release answers */
  readonly shifted: number;
  /** the whole process, less the bake */
  readonly whole: number;
  readonly phases: readonly Phase[];
  readonly requests: number;
  readonly failed: number;
}

let live = "";

/** A good deploy of the action over the one before it. */
export async function ourDeploy(bed: Bed, name: string, host: BedHost): Promise<Run> {
  const release = await newRelease(bed, name);
  const load = poller(host);
  if (live) await load.answeredBy(live);
  const { step, timeline } = deploying(inputsFor(bed, host, release));
  good(await step.ended);
  const endedAt = performance.now();
  const { requests, failed } = await load.stop();
  const shifted = load.lastAnswerOf(live) - timeline.startedAt;
  live = release.version;
  const whole = endedAt - timeline.startedAt - BAKE;
  return { shifted, whole, phases: timeline.phases(endedAt), requests, failed };
}

/** The script, whole: the ssh, then curl until the app is healthy. */
export async function scriptDeploy(bed: Bed, name: string, host: BedHost): Promise<number> {
  return scriptRun(host, (await newRelease(bed, name)).reference);
}

export async function scriptRun(host: BedHost, reference: string): Promise<number> {
  const startedAt = performance.now();
  await plainScript(host, reference);
  await curlUntilHealthy(`${host.url}/health`);
  return performance.now() - startedAt;
}

function curlUntilHealthy(url: string): Promise<void> {
  const loop = 'for n in $(seq 300); do curl -fsS "$1" && exit; sleep 0.05; done; exit 1';
  const child = spawn("bash", ["-c", loop, "-", url], { stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error("the script's app is not healthy"))));
  });
}
