// What a new proxy-image costs: the moment in which nobody has the host's port, and the requests that meet it.
import type { BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { Load } from "../test/support/load";
import { inBox, inspectInBox } from "../test/support/outside";
import { basicInputs, startStep } from "../test/support/runner";
import { median } from "./stopwatch/figures";

const BED = "bench";
const PAUSE = 10; // milliseconds between an answer and the client's next request

/** @returns true: it is a price, not a goal */
export async function proxyChange(rounds: number): Promise<boolean> {
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  await resetHost(host);
  const deploy = async (image: string, more = {}) => {
    const { outputs, log } = await startStep("deploy-ec2", {
      ...basicInputs(bed, host, image),
      "bake-time": "0s",
      ...more,
    }).ended;
    if (outputs.status !== "deployed") throw new Error(`${image}: ${outputs.status}\n${log}`);
    return log;
  };
  await deploy("good1");
  const image = await inspectInBox<string>(host, "web-proxy", "{{json .Config.Image}}");
  const dark: number[] = [];
  const refused: number[] = [];
  const cut: number[] = [];
  let requests = 0;
  for (let round = 0; round < rounds; round += 1) {
    const next = `proxy.bench/haproxy:${round}`;
    await inBox(host, "docker", "tag", image, next);
    const failures: string[] = [];
    const load = new Load(host.url, {
      keepAlive: 20,
      fresh: 4,
      pause: PAUSE,
      each: ({ failure }) => failure && failures.push(failure),
    });
    const log = await deploy(round % 2 ? "good1" : "good2", { "proxy-image": next });
    requests += (await load.stop()).requests;
    dark.push(Number(/^Nothing was served for (\S+) s/m.exec(log)?.[1]) * 1000);
    refused.push(failures.filter((failure) => /ECONNREFUSED/.test(failure)).length);
    cut.push(failures.length - (refused.at(-1) ?? 0));
  }
  await down(BED);
  const row = (values: readonly number[]) => `${median(values)} (${Math.min(...values)} to ${Math.max(...values)})`;
  console.log(
    `\nA new proxy-image, ${rounds} times, under 24 clients that ask again ${PAUSE} ms after each answer; median (least to most):\n`,
  );
  console.log("| nobody has the port, ms | connections refused | requests cut | of all requests, a round |");
  console.log("|---|---|---|---|");
  console.log(`| ${row(dark)} | ${row(refused)} | ${row(cut)} | ${Math.round(requests / rounds)} |`);
  return true;
}
