import { readFileSync } from "node:fs";
import type { Bed, BedHost } from "../bed/bed";

/** The bed that jest's set-up made; each worker has a host of its own. */
export function theBed(): Bed {
  const file = process.env.HELLO_DEVOPS_BED;
  if (!file) throw new Error("No bed: run these tests by npm test, or npx jest --selectProjects bed.");
  return JSON.parse(readFileSync(file, "utf8")) as Bed;
}

export function myHost(bed: Bed): BedHost {
  const host = bed.hosts[Number(process.env.JEST_WORKER_ID ?? "1") - 1];
  if (!host) throw new Error(`The bed has ${bed.hosts.length} hosts; run jest with --maxWorkers=${bed.hosts.length}.`);
  return host;
}
