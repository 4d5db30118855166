import { readFileSync } from "node:fs";
import type { Bed, BedHost, HostKind } from "../bed/bed";

/** The bed that jest's set-up made; each worker has a usual host of its own. */
export function theBed(): Bed {
  const file = process.env.HELLO_DEVOPS_BED;
  if (!file) throw new Error("No bed: run these tests by npm test, or npx jest --selectProjects bed.");
  return JSON.parse(readFileSync(file, "utf8")) as Bed;
}

export function myHost(bed: Bed): BedHost {
  const usual = bed.hosts.filter(({ kind }) => kind === "debian12");
  const host = usual[Number(process.env.JEST_WORKER_ID ?? "1") - 1];
  if (!host) throw new Error(`The bed has ${usual.length} hosts; run jest with --maxWorkers=${usual.length}.`);
  return host;
}

/** There is one of each, whatever the worker: one file alone may use it. */
export function hostOfKind(bed: Bed, kind: Exclude<HostKind, "debian12">): BedHost {
  const host = bed.hosts.find((it) => it.kind === kind);
  if (!host) throw new Error(`The bed has no host of the kind ${kind}.`);
  return host;
}
