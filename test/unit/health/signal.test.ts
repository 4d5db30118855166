import { expect, test } from "@jest/globals";
import type { Glance, Signal } from "../../../src/health/signal";
import { httpServer, inTurn, stopServers } from "../../support/servers";
import { type Inputs, leapingClock, verified } from "../../support/verifying";

const right: Glance = { standing: "right", kind: "OK", seen: "OK" };
const wrong: Glance = { standing: "wrong", kind: "ALARM", seen: "ALARM: too hot" };
const blind: Glance = { standing: "blind", kind: "INSUFFICIENT_DATA", seen: "no data" };

/** Shows these one after the other; the last one goes on. */
function signal(...glances: readonly (Glance | Error)[]): Signal & { readonly looksAt: number[] } {
  const looksAt: number[] = [];
  return {
    name: "heat",
    expected: "OK",
    interval: 10_000,
    looksAt,
    async look() {
      const glance = glances[Math.min(looksAt.push(Math.round(clock.now() / 1000)), glances.length) - 1];
      if (glance instanceof Error || !glance) throw glance;
      return glance;
    },
  };
}

let clock = leapingClock();

/** The check of the signal, beside a URL that answers. */
async function checked(one: Signal, inputs: Inputs = {}) {
  clock = leapingClock();
  const { place } = await httpServer(inTurn(200));
  const outcome = await verified({ url: `http://${place}/`, timeout: "1m", ...inputs }, { clock, signals: [one] });
  await stopServers();
  const [, check] = outcome.checks;
  if (!check) throw new Error("the signal was not checked");
  return { ...outcome, check };
}

const verdicts: readonly [what: string, glances: (Glance | Error)[], inputs: Inputs, status: string, seen: object][] = [
  ["is right at once", [right], {}, "healthy", { OK: 1 }],
  ["becomes right in time", [wrong, blind, right], {}, "healthy", { ALARM: 1, INSUFFICIENT_DATA: 1, OK: 1 }],
  ["is wrong to the end", [wrong], {}, "unhealthy", { ALARM: 6 }],
  ["is blind to the end", [blind], {}, "inconclusive", { INSUFFICIENT_DATA: 6 }],
  ["can't be read", [new Error("no way there")], {}, "inconclusive", { "not read": 6 }],
  ["is right once, where URLs need several", [right], { threshold: "3" }, "healthy", { OK: 1 }],
  [
    "is wrong in the hold",
    [right, right, wrong],
    { hold: "50s", "max-failures": "9" },
    "unhealthy",
    { OK: 2, ALARM: 1 },
  ],
  ["was blind in the hold", [right, blind, right], { hold: "30s" }, "healthy", { OK: 3, INSUFFICIENT_DATA: 1 }],
  [
    "is blind at the hold's end",
    [right, right, blind],
    { hold: "20s" },
    "inconclusive",
    { OK: 2, INSUFFICIENT_DATA: 1 },
  ],
];
test.each(verdicts)("a signal that %s has its verdict", async (_what, glances, inputs, status, seen) => {
  const { check } = await checked(signal(...glances), inputs);
  expect([check.status, check.seen]).toEqual([status, seen]);
});

test("is looked at in its own interval, or in a longer one that was asked for", async () => {
  const gaps = ({ looksAt }: { looksAt: number[] }) => looksAt.slice(1).map((at, index) => at - (looksAt[index] ?? 0));
  const [own, longer] = [signal(wrong, wrong, right), signal(wrong, wrong, right)];
  await checked(own);
  await checked(longer, { interval: "20s", timeout: "2m" });
  for (const [one, gap] of [
    [own, 10],
    [longer, 20],
  ] as const)
    for (const each of gaps(one)) expect(each).toBeGreaterThanOrEqual(gap);
  expect([own.looksAt.length, longer.looksAt.length]).toEqual([3, 3]);
});

test("one bad signal makes the whole bad, and how long it took is no latency", async () => {
  const { status, check, lines } = await checked(signal(wrong), { timeout: "5s" });
  expect([status, check.reason]).toEqual([
    "unhealthy",
    "heat: it did not become healthy within 5 s; last seen: ALARM: too hot.",
  ]);
  expect((await checked(signal(right))).check.latencies).toBeUndefined();
  expect(lines).toContain("heat: expects OK");
});
