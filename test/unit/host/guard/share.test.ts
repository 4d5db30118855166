import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { GuardProcess } from "./guard-process";
import { HostFolder } from "./host-folder";
import { DEPLOY, deployUpTo, onTheNew, onTheOld } from "./one-deploy";

// Two releases that share the traffic, by the weights of their slots (70-deeds.sh).
jest.setTimeout(60_000);
let host: HostFolder;
let guard: GuardProcess;
beforeEach(async () => {
  host = HostFolder.serving();
  guard = host.guard();
  await deployUpTo(FILLED, host, guard);
});
afterEach(() => host.end());

const FILLED = 1 + DEPLOY.findIndex((step) => typeof step !== "function" && step[1] === "fill");
const share = (percent: string, address = "172.18.0.2") => ["DO", "share", "green", "blue", address, percent] as const;
const weights = () => ["blue", "green"].map((slot) => readFileSync(host.path(`docker/weights/${slot}`), "utf8").trim());

test("gives the candidate its share and the live release the rest, in one order to the proxy", async () => {
  const before = host.calls().length;
  expect(await guard.ask(...share("10"))).toBe("OK");
  expect(weights()).toEqual(["90", "10"]);
  expect(host.outcome()).toMatchObject({ blue: "ready shop-1", green: "ready shop-2" });
  expect(host.calls().length - before).toBe(1);
});

test("goes back from a share to the live release alone, when its runner is gone", async () => {
  await guard.ask(...share("50"));
  await guard.hangUp();
  expect(host.outcome()).toEqual(onTheOld);
});

test("goes on from a share to all of the traffic, and commits", async () => {
  await guard.ask(...share("10"));
  await guard.ask(...share("50"));
  for (const step of DEPLOY.slice(FILLED)) if (typeof step !== "function") await guard.ask(...step);
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect(host.outcome()).toEqual(onTheNew);
});

test("shares nothing with a slot that leads to another address, or that a restarted proxy has forgotten", async () => {
  expect(await guard.refused(...share("10", "172.18.0.9"))).toBe("FAIL the slot green is not up");
  writeFileSync(host.path("docker/slots/green"), "maint green.invalid");
  expect(await guard.refused(...share("10"))).toBe("FAIL the slot green is not up");
  expect(weights()).toEqual(["1", "1"]);
  expect(host.outcome()).toMatchObject({ blue: "ready shop-1", green: "maint" });
});

test.each(["0", "100", "07", "1.5", "-1", "10;"])("takes no share of %s per cent", async (percent) => {
  expect(await guard.refused(...share(percent))).toBe("FAIL not a deed: share green");
  expect(weights()).toEqual(["1", "1"]);
});
