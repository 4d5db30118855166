import { rmSync } from "node:fs";
import { afterAll, expect, jest, test } from "@jest/globals";
import { forEachStep, readyOrDead, retiredOrDead } from "./each-step";
import { HostFolder, idOf } from "./host-folder";
import { DEPLOY, deployUpTo, messages, onTheNew, onTheOld, type Step } from "./one-deploy";

jest.setTimeout(240_000);
const hosts: HostFolder[] = [];
const owned = (host: HostFolder) => {
  hosts.push(host);
  return host;
};
afterAll(() => Promise.all(hosts.map((host) => host.end())));

const OLD = idOf("shop-proxy");
const NEXT = idOf("shop-proxy-next");

/** The same deploy, when the proxy's image or port changes as well. */
const HANDOVER: readonly Step[] = DEPLOY.flatMap((step): readonly Step[] => {
  const message = typeof step === "function" ? "" : step.join(" ");
  if (message === "UNDO forget r2")
    return [
      ["UNDO", "remove", "shop-proxy-next", "0"],
      (host) => host.create("shop-proxy-next", { running: false, policy: "no", transaction: "t2", port: "80" }),
      step,
    ];
  if (message === "UNDO vacate green 0") return [["UNDO", "give-back", OLD], ["DO", "take-port", OLD, "1"], step];
  if (message.startsWith("RETIRE history"))
    return [
      ["RETIRE", "policy", "shop-proxy", "always"],
      ["RETIRE", "policy", OLD, "no"],
      ["RETIRE", "take-port", OLD, "1"],
      ["RETIRE", "discard", OLD],
      step,
    ];
  return [step];
});

const old = { ...onTheOld, proxy: OLD };
const moved = { ...onTheNew, proxy: NEXT };
const outcome = (host: HostFolder) => ({ ...host.outcome(), proxy: host.id("shop-proxy") });
const whole = (host: HostFolder) => {
  const { proxyRuns: _, ...rest } = outcome(host); // after a reboot it has read another release's, with the same seats
  return rest;
};
const { proxyRuns: _old, ...wholeOld } = old;
const { proxyRuns: _moved, ...wholeMoved } = moved;

async function ready(): Promise<HostFolder> {
  const host = owned(HostFolder.serving());
  const guard = host.guard();
  await deployUpTo(HANDOVER.length, host, guard, undefined, HANDOVER);
  await guard.kill();
  return host;
}

test("hands the port to the next proxy, and what follows the commit takes the old one away", async () => {
  const host = owned(HostFolder.serving());
  const guard = host.guard();
  await deployUpTo(HANDOVER.length, host, guard, undefined, HANDOVER);
  expect(outcome(host).containers).toEqual({
    "shop-1": "runs, always",
    "shop-2": "runs, always",
    "shop-proxy": "runs, no",
    "shop-proxy-before": "stopped, always",
  });
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect(outcome(host)).toEqual(moved);
});

test("gives it back whatever step its guard was killed after, by a reboot or alone", async () => {
  const first = owned(HostFolder.serving());
  const dead: HostFolder[] = [];
  const guard = first.guard();
  await deployUpTo(HANDOVER.length, first, guard, () => dead.push(owned(first.copy())), HANDOVER);
  await guard.kill();
  dead.forEach((host, n) => {
    if (n % 3) host.reboot(); // the steps come in pairs
  });
  const ends = dead.map(async (host) => {
    await host.guard({ transaction: "t3" }).ready();
    return whole(host);
  });
  expect(await Promise.all(ends)).toEqual(HANDOVER.map(() => wholeOld));
});

test("gives it back when the undo is killed between any two of its changes, by a reboot or alone", async () => {
  const prepared = await ready();
  const steps = await forEachStep(async (step) => {
    const host = owned(prepared.copy());
    host.stepByStep();
    host.crashAt(step);
    const past = await readyOrDead(host.guard({ transaction: "t3" }));
    host.crashNoMore();
    if (step % 2) host.reboot();
    await host.guard({ transaction: "t4" }).ready();
    expect({ step, ...whole(host) }).toEqual({ step, ...wholeOld });
    return past;
  });
  expect(steps).toBeGreaterThan(20);
});

test.each([false, true])(
  "ends with the old proxy before the rename and with the new one after it (rebooted: %s)",
  async (reboots) => {
    const prepared = await ready();
    const steps = await forEachStep(async (step) => {
      const host = owned(prepared.copy());
      rmSync(host.state("journal"));
      host.stepByStep();
      const guard = host.guard();
      await guard.ready();
      for (const message of messages(HANDOVER)) expect(await guard.ask(...message)).toBe("OK");
      host.crashAt(step);
      guard.send("COMMIT 99");
      guard.send("FINISH 99");
      const past = await retiredOrDead(guard);
      host.crashNoMore();
      if (reboots) host.reboot();
      const renamed = host.current() === "releases/r2";
      const proxies = ["shop-proxy", "shop-proxy-before"].filter((name) =>
        /^runs/.test(host.outcome().containers[name] ?? ""),
      );
      expect({ step, proxies: proxies.length }).toEqual({ step, proxies: 1 }); // it serves before anybody replays
      await host.guard({ transaction: "t3" }).ready();
      expect({ step, ...whole(host) }).toEqual({ step, ...(renamed ? wholeMoved : wholeOld) });
      return past;
    });
    expect(steps).toBeGreaterThan(20);
  },
);

test("says what Docker says when the port is held by another, and gives it back", async () => {
  const host = owned(HostFolder.serving());
  const guard = host.guard();
  await guard.ready();
  await guard.ask("BEGIN", "r2");
  host.create("other", { running: true, policy: "no", port: "8080" });
  host.create("shop-proxy-next", { running: false, policy: "no", transaction: "t2", port: "8080" });
  await guard.ask("UNDO", "remove", "shop-proxy-next", "0");
  await guard.ask("UNDO", "give-back", OLD);
  expect(await guard.refused("DO", `take-port ${OLD} 1`)).toContain("port is already allocated");
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(host.id("shop-proxy")).toBe(OLD);
  expect(host.outcome().containers).toMatchObject({ "shop-proxy": "runs, always", other: "runs, no" });
  expect(host.outcome().containers).not.toHaveProperty("shop-proxy-next");
});
