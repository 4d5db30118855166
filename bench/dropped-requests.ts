// How many requests fail over good and failed deploys, under load, beside the script that people paste.
import type { Bed, BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { Load, type LoadResult } from "../test/support/load";
import { inBox, until, whoServes } from "../test/support/outside";
import { basicInputs, startStep } from "../test/support/runner";
import { plainScript, readyForPlainScript } from "./plain-script";

const BED = "bench";
const LOADS = {
  "50 keep-alive connections": { keepAlive: 50, fresh: 0 },
  "8 clients, a new connection a request": { keepAlive: 0, fresh: 8 },
};

interface Contender {
  readonly name: string;
  deploy(host: BedHost, bed: Bed, image: string): Promise<void>;
}

const ours: Contender = {
  name: "deploy-ec2",
  deploy: async (host, bed, image) => {
    const quick = { "bake-time": "0s", "start-timeout": "2s", force: "true" };
    const ended = await startStep("deploy-ec2", { ...basicInputs(bed, host, image), ...quick }).ended;
    const wanted = image.startsWith("good") ? "deployed" : "rolled-back";
    if (ended.outputs.status !== wanted)
      throw new Error(`${image}: ${ended.outputs.status}, not ${wanted}\n${ended.log}`);
  },
};

const script: Contender = {
  name: "plain script",
  deploy: async (host, bed, image) => {
    await plainScript(host, bed.images[image]?.digest ?? image);
    if (image.startsWith("good")) await until("the app answers", async () => (await whoServes(host)) !== undefined);
  },
};

/** A failed deploy is followed by the good one again: with the script, by somebody who notices at once. */
async function run(
  contender: Contender,
  host: BedHost,
  bed: Bed,
  load: { keepAlive: number; fresh: number },
  deploys: number,
) {
  await contender.deploy(host, bed, "good1");
  const good = await underLoad(host, load, async () => {
    for (let n = 0; n < deploys; n += 1) await contender.deploy(host, bed, n % 2 ? "good1" : "good2");
  });
  const failed = await underLoad(host, load, async () => {
    for (let n = 0; n < deploys; n += 1) {
      await contender.deploy(host, bed, n % 2 ? "broken" : "exits");
      if (contender === script) await contender.deploy(host, bed, "good1");
    }
  });
  return { good, failed };
}

async function underLoad(
  host: BedHost,
  load: { keepAlive: number; fresh: number },
  body: () => Promise<void>,
): Promise<LoadResult> {
  const running = new Load(host.url, { ...load, limit: 15 * 60_000, pause: 5 });
  try {
    await body();
  } finally {
    await running.stop();
  }
  return running.result;
}

/** @returns whether its goal holds */
export async function droppedRequests(deploys: number): Promise<boolean> {
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  await readyForPlainScript(bed, host);
  // both contenders find the layers on the host: what is compared is the switch
  for (const image of ["good1", "good2", "broken", "exits"])
    await inBox(host, "docker", "pull", "-q", bed.images[image]?.digest ?? image);
  let ourFailures = 0;
  console.log(`\n${deploys} good and ${deploys} failed deploys in a row, under load, on one host:\n`);
  console.log("| load | contender | good deploys: requests | failed | failed deploys: requests | failed |");
  console.log("|---|---|---|---|---|---|");
  for (const [name, load] of Object.entries(LOADS)) {
    for (const contender of [ours, script]) {
      await resetHost(host);
      const { good, failed } = await run(contender, host, bed, load, deploys);
      if (contender === ours) ourFailures += good.failed + failed.failed;
      console.log(
        `| ${name} | ${contender.name} | ${good.requests} | **${good.failed}** | ${failed.requests} | **${failed.failed}** |`,
      );
      for (const failure of contender === ours ? [...good.failures, ...failed.failures] : [])
        console.log(`    ${failure}`);
    }
  }
  await down(BED);
  console.log(
    `\ngoal: no request fails in deploy-ec2's rows: ${ourFailures === 0 ? "holds" : `MISSED by ${ourFailures}`}`,
  );
  return ourFailures === 0;
}
