import { expect } from "@jest/globals";
import { renderConfig, renderMap } from "../../../../src/host/proxy/config";
import type { GuardProcess } from "./guard-process";
import { type HostFolder, SETTINGS } from "./host-folder";

const b64 = (text: string) => Buffer.from(text).toString("base64");

export const NEW_SETTINGS = { ...SETTINGS, responseTimeout: 90_000 };
export const OLD_CONFIG = renderConfig(SETTINGS, { slot: "blue", container: "shop-1", port: 5000 });
export const R1_RELOADED = renderConfig(NEW_SETTINGS, { slot: "blue", container: "shop-1", port: 5000 });
export const R2_CONFIG = renderConfig(NEW_SETTINGS, { slot: "green", container: "shop-2", port: 5000 });
export const HISTORY = '{"transaction":"t2","release":"r2"}';

/** One step of the runner: a message to the guard, or a call to Docker of its own. */
export type Step = Message | ((host: HostFolder) => void);
type Message = readonly [kind: string, ...words: string[]];

/** What a deploy of r2 beside r1 does, in src/release's order: new proxy settings, candidate, slot, shift, policy, commit. */
export const DEPLOY: readonly Step[] = [
  ["BEGIN", "r2"],
  ["UNDO", "config", "r1"],
  ["RETIRE", "config", "r1"],
  ["DO", "write", "releases/r1/haproxy.cfg.next", b64(R1_RELOADED)],
  ["DO", "apply", "r1"],
  ["UNDO", "forget", "r2"],
  ["UNDO", "remove", "shop-2", "0"],
  (host) => host.create("shop-2", { running: true, policy: "no", transaction: "t2" }),
  ["DO", "write", "releases/r2/haproxy.cfg", b64(R2_CONFIG)],
  ["DO", "write", "releases/r2/slots.map", b64(renderMap({ blue: "v1", green: "v2" }))],
  ["DO", "check", "r2"],
  ["DO", "write", "releases/r2/release.json", b64('{"release":"r2"}')],
  ["UNDO", "vacate", "green", "0"],
  ["DO", "fill", "green", "shop-2", "172.18.0.2", "5000", "v2"],
  ["UNDO", "ready", "blue", "shop-1"],
  ["DO", "shift", "green", "blue", "172.18.0.2"],
  ["UNDO", "policy", "shop-2", "no"],
  ["DO", "policy", "shop-2", "always"],
  ["RETIRE", "history", b64(HISTORY)],
  ["RETIRE", "policy", "shop-1", "no"],
  ["RETIRE", "vacate", "blue", "0"],
  ["RETIRE", "stop", "shop-1", "0"],
];

/** What of it goes into the journal. */
export const messages = (deploy: readonly Step[]): readonly Message[] =>
  deploy.filter((step): step is Message => typeof step !== "function").filter(([kind]) => kind !== "DO");
export const MESSAGES = messages(DEPLOY);

/** Every step up to the `count`-th; all of them leave a host that has only to commit. */
export async function deployUpTo(
  count: number,
  host: HostFolder,
  guard: GuardProcess,
  after = () => {},
  deploy: readonly Step[] = DEPLOY,
): Promise<void> {
  await guard.ready();
  for (const step of deploy.slice(0, count)) {
    if (typeof step === "function") step(host);
    else expect([step, await guard.ask(...step)]).toEqual([step, expect.stringMatching(/^OK/)]);
    after();
  }
}

/** A host on which a deploy was killed when it had only to commit: its journal is there, its guard is not. */
export async function aboutToCommit(host: HostFolder): Promise<void> {
  const guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  await guard.kill();
}

export const onTheOld = {
  current: "releases/r1",
  containers: { "shop-1": "runs, always", "shop-proxy": "runs, always" },
  blue: "ready shop-1",
  green: "maint",
  proxyRuns: OLD_CONFIG.trim(),
  releases: ["r1: haproxy.cfg release.json slots.map"],
  r1Settings: OLD_CONFIG,
  history: [],
  journal: false,
};

export const onTheNew = {
  current: "releases/r2",
  containers: { "shop-1": "stopped, no", "shop-2": "runs, always", "shop-proxy": "runs, always" },
  blue: "maint",
  green: "ready shop-2",
  proxyRuns: R1_RELOADED.trim(), // r2's own is loaded at the next start; its slots hold now
  releases: ["r1: haproxy.cfg release.json slots.map", "r2: haproxy.cfg release.json slots.map"],
  r1Settings: OLD_CONFIG,
  history: [HISTORY],
  journal: false,
};
