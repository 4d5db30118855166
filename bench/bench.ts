// npm run bench: what is promised in figures, counted and timed, on the test bed where a host is needed. Never a test: the figures are
// the machine's.
//   --only dropped-requests | stopwatch | rollback | proxy-change | verify | traffic-gate
//   --deploys N   dropped requests: good deploys and failed ones, each (20)
//   --rounds N    (5) stopwatch: deploys of each contender at each round trip; rollback, proxy-change: how often; verify: four
//                 times as many
//   --bakes N     traffic-gate: simulated bakes of each kind (1000)
import { parseArgs } from "node:util";
import { droppedRequests } from "./dropped-requests";
import { proxyChange } from "./proxy-change";
import { rollbackTimes } from "./rollback";
import { stopwatch } from "./stopwatch";
import { trafficGate } from "./traffic-gate";
import { verifyTime } from "./verify";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    deploys: { type: "string", default: "20" },
    rounds: { type: "string", default: "5" },
    bakes: { type: "string", default: "1000" },
  },
});
const benches: Record<string, () => Promise<boolean>> = {
  "dropped-requests": () => droppedRequests(Number(values.deploys)),
  stopwatch: () => stopwatch(Number(values.rounds)),
  rollback: () => rollbackTimes(Number(values.rounds)),
  "proxy-change": () => proxyChange(Number(values.rounds)),
  verify: () => verifyTime(Number(values.rounds) * 4),
  "traffic-gate": () => trafficGate(Number(values.bakes)),
};

async function main(): Promise<number> {
  const chosen = values.only ? [values.only] : Object.keys(benches);
  let missed = 0;
  for (const name of chosen) {
    const bench = benches[name];
    if (!bench) throw new Error(`--only: expected ${Object.keys(benches).join(" or ")}, got "${name}".`);
    if (!(await bench())) missed += 1;
  }
  return missed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error);
    process.exit(1);
  },
);
