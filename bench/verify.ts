// From the moment at which a server is healthy to the end of the step that waits for it, beside the shell loop that people paste.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { apt } from "../test/bed/engine";
import { run, succeeds } from "../test/bed/run";
import { node24, startStep } from "../test/support/runner";
import { median, table } from "./stopwatch/figures";

const LEAST_WAIT = 1000; // milliseconds from the first request that fails to the moment of health; the rest is chance

interface Contender {
  readonly name: string;
  /** the pause or interval, in milliseconds */
  readonly interval: number;
  start(url: string): { readonly ended: Promise<boolean> };
}

const ours = (interval: string, milliseconds: number): Contender => ({
  name: `verify-health, interval ${interval}`,
  interval: milliseconds,
  start: (url) => ({
    ended: startStep("verify-health", { url, interval }).ended.then(({ outputs }) => outputs.status === "healthy"),
  }),
});

const loop = (pause: string, milliseconds: number): Contender => ({
  name: `until curl -fsS URL; do sleep ${pause}; done`,
  interval: milliseconds,
  start: (url) => {
    const script = `until curl -fsS "$0"; do sleep ${pause}; done`;
    const child = spawn("bash", ["-c", script, url], { stdio: "ignore" });
    return { ended: once(child, "exit").then(([code]) => code === 0) };
  },
});

const races = [
  [ours("2s", 2000), loop("2", 2000)],
  [ours("200ms", 200), loop("0.2", 200)],
] as const;

/** Milliseconds from health to the end of the whole process. It becomes healthy anywhere within an interval, by chance. */
async function timeToVerdict({ start, interval }: Contender, chance: number): Promise<number> {
  let healthyAt = Number.POSITIVE_INFINITY;
  const server: Server = createServer((_request, response) =>
    response.writeHead(performance.now() >= healthyAt ? 200 : 503).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { ended } = start(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await once(server, "request");
  healthyAt = performance.now() + LEAST_WAIT + chance * interval;
  if (!(await ended)) throw new Error("a contender did not see that the server is healthy");
  const took = performance.now() - healthyAt;
  server.close();
  server.closeAllConnections();
  return took;
}

/** @returns true: these are figures, not goals */
export async function verifyTime(rounds: number): Promise<boolean> {
  if (!(await succeeds(run("curl", ["--version"])))) await apt("curl");
  const times = new Map<Contender, number[]>(races.flat().map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    const chance = (round + 0.5) / rounds; // all of an interval, evenly, and the same for both
    for (const race of races) {
      const turns = round % 2 ? [...race].reverse() : race;
      for (const contender of turns) times.get(contender)?.push(await timeToVerdict(contender, chance));
    }
    console.error(`verify: round ${round + 1} of ${rounds}`);
  }
  const rows: string[][] = [];
  for (const [action, script] of races) {
    const [own, other] = [times.get(action) ?? [], times.get(script) ?? []];
    const ratio = median(own) / median(other);
    for (const [{ name }, values] of [
      [action, own],
      [script, other],
    ] as const)
      rows.push([
        name,
        median(values).toFixed(0),
        Math.max(...values).toFixed(0),
        name === action.name ? ratio.toFixed(2) : "1",
      ]);
  }
  console.log(
    `\nFrom health to the end of the whole process, ${rounds} rounds (${node24.includes("node-linux") ? "Node 24 of npm" : "this Node"}):\n`,
  );
  console.log(table(["contender", "median, ms", "worst, ms", "ratio of the medians"], rows));
  return true;
}
