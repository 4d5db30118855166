// How long a rollback takes, from the start of the action until only the old release answers; beside the way that people
// have without it: to deploy the old image again by the plain script.
import type { Bed, BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { good } from "../test/support/quick";
import { rollbackInputs } from "../test/support/rollback";
import { startStep } from "../test/support/runner";
import { readyForPlainScript } from "./plain-script";
import { inputsFor, poller, scriptRun } from "./stopwatch/deploys";
import { figure, type Goal, goalTable, holds, median, timed } from "./stopwatch/figures";
import { newRelease } from "./stopwatch/images";
import { Timeline } from "./stopwatch/timeline";

const NAME = "rollback";
const ROUND_TRIPS = [0, 40];
const MOST = 2000;
/** what the app itself takes, besides what every goal allows */
const APPS = [
  ["the sample app", 0],
  ["an app that listens after 1 s", 1000],
] as const;

interface Release {
  readonly version: string;
  readonly reference: string;
}

/** @returns whether every goal holds */
export async function rollbackTimes(rounds: number): Promise<boolean> {
  const goals: Goal[] = [];
  for (const latency of ROUND_TRIPS) {
    const bed = await up({ name: NAME, hosts: 2, latency });
    const [host, scriptHost] = bed.hosts as [BedHost, BedHost];
    await Promise.all([host, scriptHost].map((box) => resetHost(box)));
    const quick = [await release(bed, "good1"), await release(bed, "good2")] as const;
    const slow = [await newRelease(bed, NAME), await newRelease(bed, NAME)] as const;
    const script = await byScript(bed, scriptHost, slow, rounds);
    console.log(
      `The plain script with the old image at ${latency} ms, an app that listens after 1 s: ${figure(script)}`,
    );
    for (const [n, [what, own]] of APPS.entries()) {
      const times = await back(bed, host, n === 0 ? quick : slow, rounds);
      const most = MOST + own;
      const how = `2 s${own ? ` + ${own} ms of the app's start` : ""}`;
      const beside = own ? `, ${(median(times) / median(script)).toFixed(2)} x the script` : "";
      goals.push(
        timed(
          `${latency} ms, ${what}: start of the action to all traffic on the old release${beside}`,
          times,
          most,
          how,
        ),
      );
    }
  }
  await down(NAME);
  console.log(`\n${goalTable(goals)}\n`);
  return goals.every(holds);
}
const release = async (bed: Bed, name: string): Promise<Release> => ({
  version: name,
  reference: bed.images[name]?.digest ?? "",
});

/** Forth by a deploy, and back by a rollback, each time. */
async function back(
  bed: Bed,
  host: BedHost,
  [older, newer]: readonly [Release, Release],
  rounds: number,
): Promise<number[]> {
  const times: number[] = [];
  good(await startStep("deploy-ec2", inputsFor(bed, host, older)).ended);
  for (let round = 0; round < rounds; round += 1) {
    good(await startStep("deploy-ec2", inputsFor(bed, host, newer)).ended);
    const load = poller(host);
    await load.answeredBy(newer.version);
    const step = startStep("rollback-ec2", rollbackInputs(bed, host, { "bake-time": "1s" }));
    const timeline = new Timeline(step);
    good(await step.ended);
    const { failed, requests } = await load.stop();
    if (failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
    times.push(load.lastAnswerOf(newer.version) - timeline.startedAt);
  }
  return times;
}

/** Both images are on the host: nothing is pulled. */
async function byScript(bed: Bed, host: BedHost, pair: readonly [Release, Release], rounds: number): Promise<number[]> {
  await readyForPlainScript(bed, host);
  for (const { reference } of pair) await scriptRun(host, reference);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await scriptRun(host, pair[round % 2 ? 1 : 0].reference));
  return times;
}
