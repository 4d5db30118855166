// How long a deploy takes, and each way back: whole processes, beside the plain script in the same run.
import type { Bed, BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { defaultsOf } from "../test/support/runner";
import { readyForPlainScript } from "./plain-script";
import { BAKE, ourDeploy, type Run, scriptDeploy } from "./stopwatch/deploys";
import { figure, type Goal, goalTable, holds, median, table, timed } from "./stopwatch/figures";
import { bundleStart, resident } from "./stopwatch/process";
import type { Phase } from "./stopwatch/timeline";
import { LEASE, waysBack } from "./stopwatch/ways-back";

const NAME = "stopwatch";
const ROUND_TRIPS = [0, 40];
const { "health-interval": interval = "", "health-threshold": threshold = "" } = defaultsOf("deploy-ec2");
const THRESHOLD_TIME = (Number(threshold) - 1) * Number.parseInt(interval, 10);

const TOTAL = "all";

interface Race {
  readonly latency: number;
  readonly ours: Run[];
  readonly script: number[];
}

/** @returns whether every goal holds */
export async function stopwatch(rounds: number): Promise<boolean> {
  const goals: Goal[] = [];
  const races: Race[] = [];
  for (const latency of ROUND_TRIPS) {
    const bed = await up({ name: NAME, hosts: 2, latency });
    const [host, scriptHost] = bed.hosts as [BedHost, BedHost];
    if (races.length === 0) await readyHosts(bed, host, scriptHost);
    const race = await run(latency, bed, host, scriptHost, rounds);
    races.push(race);
    goals.push(...deployGoals(race));
    goals.push(...(await wayBackGoals(latency, bed, host, Math.ceil(rounds / 2))));
    if (latency === 0) goals.push(await residentGoal(host), await startGoal(rounds * 4));
  }
  await down(NAME);
  console.log(
    `\nWhere the time of a deploy goes (medians of ${rounds}, the bake not counted):\n\n${phaseTable(races)}`,
  );
  console.log(`\n${goalTable(goals)}\n`);
  return goals.every(holds);
}

/** New hosts, on which both contenders have deployed once: the proxy is there, and what the images share is pulled. */
async function readyHosts(bed: Bed, host: BedHost, scriptHost: BedHost): Promise<void> {
  await Promise.all([host, scriptHost].map((box) => resetHost(box)));
  await readyForPlainScript(bed, scriptHost);
  await ourDeploy(bed, NAME, host);
  await scriptDeploy(bed, NAME, scriptHost);
}

/** They take turns, and each begins as often as the other: what else the machine does meets both. */
async function run(latency: number, bed: Bed, host: BedHost, scriptHost: BedHost, rounds: number): Promise<Race> {
  const race: Race = { latency, ours: [], script: [] };
  const turns = [
    async () => race.ours.push(await ourDeploy(bed, NAME, host)),
    async () => race.script.push(await scriptDeploy(bed, NAME, scriptHost)),
  ];
  for (let round = 0; round < rounds; round += 1) {
    for (const turn of round % 2 ? [...turns].reverse() : turns) await turn();
    console.error(`stopwatch: round ${round + 1} of ${rounds} at ${latency} ms`);
  }
  return race;
}

function deployGoals({ latency, ours, script }: Race): Goal[] {
  const whole = median(script);
  console.log(`The plain script at ${latency} ms: ${figure(script)}`);
  const most = (times: number) => whole * times + THRESHOLD_TIME;
  const how = (times: number) => `${times} x the script + ${THRESHOLD_TIME} ms`;
  const shifted = ours.map((run) => run.shifted);
  const wholes = ours.map((run) => run.whole);
  const failed = ours.reduce((sum, run) => sum + run.failed, 0);
  const requests = ours.reduce((sum, run) => sum + run.requests, 0);
  return [
    timed(`${latency} ms: start of the action to all traffic on the new release`, shifted, most(1.2), how(1.2)),
    timed(`${latency} ms: the whole deploy less \`bake-time\``, wholes, most(1.5), how(1.5)),
    {
      what: `${latency} ms: failed requests of the poller`,
      measured: `${failed} of ${requests}`,
      value: failed,
      most: 0,
      limit: "0",
    },
  ];
}

async function wayBackGoals(latency: number, bed: Bed, host: BedHost, rounds: number): Promise<Goal[]> {
  const seen = await waysBack(bed, NAME, host, rounds);
  return [
    timed(`${latency} ms: failed gate to all traffic on the old release`, seen.failedGate, 500),
    timed(`${latency} ms: killed runner, the same`, seen.killedRunner, 1000),
    timed(`${latency} ms: silent cut, the same`, seen.silentCut, LEASE + 1000, "lease + 1 s"),
    timed(`${latency} ms: the candidate's exit to the line that tells it`, seen.crash, 500),
  ];
}

async function startGoal(rounds: number): Promise<Goal> {
  return timed("the bundle's start, more than bare Node's", await bundleStart(rounds), 150);
}

async function residentGoal(host: BedHost): Promise<Goal> {
  const { proxy, mapped, others } = await resident(host);
  const value = others.length > 0 ? Number.POSITIVE_INFINITY : proxy;
  const measured =
    others.length > 0
      ? others.join("; ")
      : `the proxy alone: ${proxy.toFixed(1)} MB by docker stats (${mapped.toFixed(1)} with mapped files)`;
  return { what: "resident on the host afterwards", measured, value, most: 20, limit: "20 MB, the proxy alone" };
}

/** A round trip's share: what 40 ms more on the wire add, by 40 ms. */
function phaseTable(races: readonly Race[]): string {
  const [near, far] = races as [Race, Race];
  const names = [...new Set(near.ours.flatMap(({ phases }) => phases.map(({ name }) => name)))];
  const of = ({ ours }: Race, name: string, value: (phase: Phase) => number) =>
    median(
      ours.map(({ phases }) =>
        phases.filter((phase) => name === TOTAL || phase.name === name).reduce((sum, phase) => sum + value(phase), 0),
      ),
    );
  const time = (phase: Phase) => phase.milliseconds - (phase.name === "bake" ? BAKE : 0);
  const rows = [...names, TOTAL].map((name) => {
    const [quick, slow] = [of(near, name, time), of(far, name, time)];
    const trips = (slow - quick) / (far.latency - near.latency);
    const calls = [of(near, name, ({ docker }) => docker), of(near, name, ({ guard }) => guard)];
    return [name, quick.toFixed(0), slow.toFixed(0), trips.toFixed(1), ...calls.map(String)];
  });
  const head = [`${near.latency} ms`, `${far.latency} ms`, "round trips", "Engine API calls", "guard messages"];
  return table(["phase", ...head], rows);
}
