// npm run bench: how many requests fail over good and failed deploys, under load, beside the script that people paste.
//   --deploys N   good ones and failed ones, each (20)
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import type { Bed, BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { apt } from "../test/bed/engine";
import { resetHost } from "../test/bed/hosts";
import { run as execute, succeeds } from "../test/bed/run";
import { up } from "../test/bed/up";
import { Load, type LoadResult } from "../test/support/load";
import { inBox, until, whoServes } from "../test/support/outside";
import { basicInputs, startStep } from "../test/support/runner";

const BED = "bench";
const LOADS = {
  "50 keep-alive connections": { keepAlive: 50, fresh: 0 },
  "8 clients, a new connection a request": { keepAlive: 0, fresh: 8 },
};
const { values } = parseArgs({ options: { deploys: { type: "string", default: "20" } } });
const deploys = Number(values.deploys);

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

/** One ssh with docker pull, stop, rm and run, then asking until it answers: what stands in many workflows. */
const plainScript: Contender = {
  name: "plain script",
  deploy: async (host, bed, image) => {
    const reference = bed.images[image]?.digest ?? image;
    await ssh(
      host,
      `docker pull -q ${reference} && docker stop web && docker rm web; docker run -d --name web -p 80:5000 ${reference}`,
    );
    if (image.startsWith("good")) await until("the app answers", async () => (await whoServes(host)) !== undefined);
  },
};

function ssh(host: BedHost, command: string): Promise<void> {
  const options = ["-i", host.keyFile, "-o", `UserKnownHostsFile=${host.knownHosts}`, "-p", String(host.port)];
  const child = spawn("ssh", [...options, `${host.user}@${host.address}`, command], { stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}

/** A failed deploy is followed by the good one again: with the script, by somebody who notices at once. */
async function run(contender: Contender, host: BedHost, bed: Bed, load: { keepAlive: number; fresh: number }) {
  await contender.deploy(host, bed, "good1");
  const good = await underLoad(host, load, async () => {
    for (let n = 0; n < deploys; n += 1) await contender.deploy(host, bed, n % 2 ? "good1" : "good2");
  });
  const failed = await underLoad(host, load, async () => {
    for (let n = 0; n < deploys; n += 1) {
      await contender.deploy(host, bed, n % 2 ? "broken" : "exits");
      if (contender === plainScript) await contender.deploy(host, bed, "good1");
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

async function main(): Promise<number> {
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  if (!(await succeeds(execute("ssh", ["-V"])))) await apt("openssh-client");
  for (const image of ["good1", "good2", "broken", "exits"]) await pullOnce(host, bed, image);
  let ourFailures = 0;
  console.log(`\n${deploys} good and ${deploys} failed deploys in a row, under load, on one host:\n`);
  console.log("| load | contender | good deploys: requests | failed | failed deploys: requests | failed |");
  console.log("|---|---|---|---|---|---|");
  for (const [name, load] of Object.entries(LOADS)) {
    for (const contender of [ours, plainScript]) {
      await resetHost(host);
      const { good, failed } = await run(contender, host, bed, load);
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
  return ourFailures === 0 ? 0 : 1;
}

/** Both contenders find the layers on the host: what is compared is the switch. */
async function pullOnce(host: BedHost, bed: Bed, image: string): Promise<void> {
  const { username, password, address } = bed.registry;
  await inBox(host, "docker", "login", "-u", username, "-p", password, address);
  await inBox(host, "su", "ec2-user", "-c", `docker login -u ${username} -p ${password} ${address}`);
  await inBox(host, "docker", "pull", "-q", bed.images[image]?.digest ?? image);
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error);
    process.exit(1);
  },
);
