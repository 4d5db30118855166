import { afterAll, beforeAll, test } from "@jest/globals";
import { up } from "../bed/up";
import { theBed } from "../support/bed";
import { type Result, runCell } from "./cell";
import { printed, progress } from "./printed";
import { Pool, Site } from "./site";
import { cells } from "./table";

/** Side by side, beside the workers' own hosts: as many as jest runs tests at once (jest.config.mjs). */
const HOSTS = Number(process.env.MATRIX_HOSTS);

const results: Result[] = [];
const begin = performance.now();
let pool: Pool;

beforeAll(async () => {
  const others = new Set(theBed().hosts.map(({ name }) => name)); // some test's own
  const bed = await up({ name: process.env.BED ?? "test", hosts: others.size + HOSTS });
  const hosts = bed.hosts.filter(({ name }) => !others.has(name)).slice(0, HOSTS);
  const sites = hosts.map((host) => new Site(bed, host));
  await Promise.all(sites.map((site) => site.anew("blue-green")));
  pool = new Pool(sites);
  const ready = performance.now() - begin;
  process.stderr.write(`${HOSTS} hosts are ready after ${Math.round(ready / 1000)} s\n`);
}, 300_000);

afterAll(() => {
  process.stderr.write(`${printed(results, (performance.now() - begin) / 1000, HOSTS)}\n`);
});

for (const cell of cells) {
  const { strategy, phase, fault } = cell;
  test.concurrent(`${strategy}, ${fault} in ${phase}: one release serves, the right one; nothing is left; the next deploy works`, async () => {
    const site = await pool.take();
    try {
      const result = await runCell(cell, site);
      results.push(result);
      process.stderr.write(`${progress(result, results.length)}\n`);
      if (result.wrong.length > 0) throw new Error(`${result.wrong.join("\n")}\n\n${result.story.join("\n")}`);
    } finally {
      pool.give(site);
    }
  }, 400_000);
}
