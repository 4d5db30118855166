import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateFolder } from "../bed/bed";
import { otherKinds } from "../bed/kinds";
import { up } from "../bed/up";

const NAME = process.env.BED ?? "test";
const HOSTS = 5; // one a worker, two for the tests of a fleet, and one for the second place of several-hosts.yml

/** Brings the bed up before the tests; it stays for the next run (npm run bed -- down --name test takes it away). */
export default async function setUp(): Promise<void> {
  const bed = await up({ name: NAME, hosts: HOSTS, more: otherKinds });
  const file = join(stateFolder(NAME), "bed.json");
  writeFileSync(file, JSON.stringify(bed), { mode: 0o600 });
  process.env.HELLO_DEVOPS_BED = file;
}
