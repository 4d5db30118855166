import { setTimeout as sleep } from "node:timers/promises";
import type { Bed, BedHost } from "../../test/bed/bed";
import { cutWire, Fault, heal } from "../../test/support/faults";
import { settled } from "../../test/support/judge";
import { inBox, inspectInBox, until, whoServes } from "../../test/support/outside";
import { deploying, inputsFor, poller } from "./deploys";
import { newRelease } from "./images";

type Strike = (deploy: ReturnType<typeof deploying>) => Promise<number>;

interface Bad {
  readonly more: Readonly<Record<string, string>>;
  /** makes it go wrong while the candidate has the traffic; resolves with the moment */
  readonly strike: Strike;
}

export const LEASE = 15_000;

/** A gate's no: the moment that its phase ends. */
const failedGate: Bad = {
  more: { "bake-time": "0s", "verify-command": "sleep 0.5; exit 1" },
  strike: async ({ step, timeline }) => {
    await step.ended;
    return timeline.at(/^bake failed after /);
  },
};

const killedRunner: Bad = {
  more: { "bake-time": "1m" },
  strike: async ({ step }) => {
    const at = performance.now();
    step.kill("SIGKILL");
    await step.ended;
    return at;
  },
};

const silentCut = (host: BedHost): Bad => ({
  more: { "bake-time": "5m" },
  strike: async () => {
    const fault = await Fault.primed(host, cutWire);
    const at = performance.now();
    await fault.strike();
    return at;
  },
});

/** From what goes wrong until the old release alone answers again, in milliseconds. */
async function wayBack(bed: Bed, name: string, host: BedHost, { more, strike }: Bad): Promise<number> {
  const old = await whoServes(host);
  if (!old) throw new Error("no release serves before the fault");
  const release = await newRelease(bed, name);
  const load = poller(host);
  const deploy = deploying({ ...inputsFor(bed, host, release), ...more });
  try {
    await Promise.race([
      load.answeredBy(release.version),
      deploy.step.ended.then(({ log }) => Promise.reject(new Error(`it did not get to the shift:\n${log}`))),
    ]);
    await sleep(500);
    const at = await strike(deploy);
    await until("the old release is back", async () => (await whoServes(host)) === old, LEASE + 20_000);
    await sleep(500); // nothing of the new one may come after
    await load.stop();
    return load.lastAnswerOf(release.version) - at;
  } finally {
    await heal(host);
    deploy.step.kill("SIGKILL");
    await deploy.step.ended;
    await load.stop();
    await settled(host);
  }
}

export interface WaysBack {
  readonly failedGate: number[];
  readonly killedRunner: number[];
  readonly silentCut: number[];
  readonly crash: number[];
}

/** Every way back, `rounds` times; the cut, which takes its lease, once less often than that by half. */
export async function waysBack(bed: Bed, name: string, host: BedHost, rounds: number): Promise<WaysBack> {
  const seen: WaysBack = { failedGate: [], killedRunner: [], silentCut: [], crash: [] };
  for (let round = 0; round < rounds; round += 1) {
    seen.failedGate.push(await wayBack(bed, name, host, failedGate));
    seen.killedRunner.push(await wayBack(bed, name, host, killedRunner));
    if (round % 2 === 0) seen.silentCut.push(await wayBack(bed, name, host, silentCut(host)));
    seen.crash.push(await crashNoticed(bed, name, host));
  }
  return seen;
}

/** From the candidate's end, by Docker, to the log's line that tells it. One clock: a container has its machine's. */
async function crashNoticed(bed: Bed, name: string, host: BedHost): Promise<number> {
  const release = await newRelease(bed, name);
  const { step, timeline } = deploying({
    ...inputsFor(bed, host, release),
    command: "bash -c 'sleep 0.7; exit 3'",
    "keep-failed": "true",
  });
  await step.ended;
  const told = performance.timeOrigin + timeline.at(/^The candidate ended with exit status 3/);
  const container = `web-${release.version}`;
  const finished = await inspectInBox<string>(host, container, "{{json .State.FinishedAt}}");
  await inBox(host, "docker", "rm", "-f", container);
  return told - Date.parse(finished);
}
