import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { forEachStep, readyOrDead, retiredOrDead } from "./each-step";
import { HostFolder } from "./host-folder";
import { aboutToCommit, DEPLOY, deployUpTo, MESSAGES, onTheNew, onTheOld } from "./one-deploy";

jest.setTimeout(180_000);
const hosts: HostFolder[] = [];
const owned = (host: HostFolder) => {
  hosts.push(host);
  return host;
};
let prepared: HostFolder;

beforeAll(async () => {
  prepared = owned(HostFolder.serving());
  await aboutToCommit(prepared);
});
afterAll(() => Promise.all(hosts.map((host) => host.end())));

test("commits a whole deploy: the new release serves, the old one is stopped and kept", async () => {
  const host = owned(HostFolder.serving());
  const guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect(host.outcome()).toEqual(onTheNew);
  expect(await guard.ask("BYE")).toBe("OK");
});

test("puts the old release back whatever step of a deploy its guard was killed after", async () => {
  const first = owned(HostFolder.serving());
  const dead: HostFolder[] = [];
  const guard = first.guard();
  await deployUpTo(DEPLOY.length, first, guard, () => dead.push(owned(first.copy()))); // what a SIGKILL leaves there
  await guard.kill();
  const ends = dead.map(async (host) => ({
    found: await host.guard({ transaction: "t3" }).ready(),
    ...host.outcome(),
  }));
  expect(await Promise.all(ends)).toEqual(DEPLOY.map(() => ({ found: "r1 undone", ...onTheOld })));
});

test("ends on the old release when a replay of the undo is killed between any two of its changes", async () => {
  const steps = await forEachStep(async (step) => {
    const host = owned(prepared.copy());
    host.stepByStep();
    host.crashAt(step);
    const killed = host.guard({ transaction: "t3" });
    const past = await readyOrDead(killed);
    host.crashNoMore();
    const next = host.guard({ transaction: "t4" });
    expect([step, await next.ready()]).toEqual([step, expect.stringMatching(/^r1 (undone|nothing)$/)]);
    expect({ step, ...host.outcome() }).toEqual({ step, ...onTheOld });
    return past;
  });
  expect(steps).toBeGreaterThan(15);
});

test("ends on the old release before the rename and on the new one after it, at any change of a commit", async () => {
  const ends: string[] = [];
  const steps = await forEachStep(async (step) => {
    const host = owned(prepared.copy());
    rmSync(host.state("journal"));
    host.stepByStep();
    const guard = host.guard();
    await guard.ready();
    for (const message of MESSAGES) expect(await guard.ask(...message)).toBe("OK");
    host.crashAt(step);
    guard.send("COMMIT 99");
    guard.send("FINISH 99");
    const past = await retiredOrDead(guard);
    host.crashNoMore();
    const renamed = host.current() === "releases/r2";
    const found = await host.guard({ transaction: "t3" }).ready();
    expect({ step, ...host.outcome() }).toEqual({ step, ...(renamed ? onTheNew : onTheOld) });
    ends[step] = found;
    return past;
  });
  expect(steps).toBeGreaterThan(15);
  expect(new Set(ends.filter(Boolean))).toEqual(new Set(["r1 undone", "r2 finished", "r2 nothing"]));
});
