import { expect, test } from "@jest/globals";
import { DeedFailed, GuardLost } from "../../../src/host/guard/failures";
import type { Found } from "../../../src/host/guard/guard";
import type { Host } from "../../../src/host/host";
import { commit } from "../../../src/release/decision";
import { Fleet } from "../../../src/release/fleet";
import type { Log } from "../../../src/release/log";
import type { Transaction } from "../../../src/release/transaction";
import type { World } from "../../../src/release/world";

/** How a host behaves in its commit: each message's failure, and what a runner that comes back finds there. */
interface Play {
  readonly prepare?: Error;
  readonly commit?: Error;
  /** undefined = it can't be reached again */
  readonly found?: Partial<Found>;
}

const LOST = new GuardLost("its channel closed");
const REFUSED = new DeedFailed("COMMIT", "current could not be renamed");
const said: string[] = [];
const log: Log = {
  info: (line) => void said.push(line),
  debug: () => {},
  warning: () => {},
  quote: () => {},
  phase: (_name, body) => body(),
};

/** Two hosts that have only to commit, on a clock that runs when somebody sleeps. */
function fleetOf(plays: Readonly<Record<string, Play>>) {
  const notes: string[] = [];
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
    },
  };
  const names = Object.keys(plays);
  const guardOf = (name: string, play: Play, found?: Partial<Found>) => {
    const note = (what: string) => void notes.push(`${name} ${what}`);
    return {
      lost: new Promise<never>(() => {}),
      refused: new Promise<never>(() => {}),
      lock: async () => note(`locked again`),
      ready: async () => ({ current: "old", recovered: "nothing", stuck: undefined, ...found }),
      hold: async () => {},
      undo: async () => {},
      do: async () => "",
      retire: async () => {},
      prepare: async () => {
        note("PREPARE");
        if (play.prepare) throw play.prepare;
      },
      commit: async () => {
        note("COMMIT");
        if (play.commit && !found) throw play.commit;
      },
      revert: async () => note("REVERT"),
      abort: async () => {
        note("ABORT");
        return { committed: false, stuck: undefined };
      },
    };
  };
  const hosts = names.map((name) => ({
    name,
    address: name,
    open: async () => {
      const { found } = plays[name] ?? {};
      if (!found) throw new Error("connect ETIMEDOUT");
      return { drop: () => {}, guard: async () => guardOf(name, {}, found) } as unknown as Host;
    },
  }));
  const world: World = {
    hosts,
    log,
    clock,
    transaction: "t2",
    cancel: new AbortController().signal,
    conceal: () => {},
  };
  const fleet = new Fleet(world);
  for (const member of fleet.members) {
    const guard = guardOf(member.name, plays[member.name] ?? {});
    const request = { app: "web", traffic: { strategy: "blue-green" }, safety: { lease: 15_000 }, run: {} };
    Object.assign(member, { guard, host: { drop: () => {} } });
    member.tx = {
      ...{ name: "t2", request, guard, host: { drop: () => {} }, begun: Promise.resolve() },
      candidate: { id: "new", container: "web-new" },
      scene: { current: undefined, image: { digest: "" } },
      ...{ log, clock, stop: member.stop, evidence: [] },
    } as unknown as Transaction;
  }
  const end = async () => {
    const ends = await commit(fleet, fleet.members, world);
    return Object.fromEntries([...ends].map(([{ name }, how]) => [name, how]));
  };
  return { end, notes, fleet };
}

const of = (notes: readonly string[], word: string) => notes.filter((note) => note.endsWith(` ${word}`));

test("no host is told to commit before every host is prepared", async () => {
  const { end, notes } = fleetOf({ a: {}, b: {} });
  expect(await end()).toEqual({ a: "committed", b: "committed" });
  expect(notes).toEqual(["a PREPARE", "b PREPARE", "a COMMIT", "b COMMIT"]);
  expect(said.at(-1)).toMatch(/^The first and the last of 2 hosts committed \d+ ms apart\.$/);
});

test("a fleet of one commits at once", async () => {
  const { end, notes } = fleetOf({ a: {} });
  expect(await end()).toEqual({ a: "committed" });
  expect(notes).toEqual(["a COMMIT"]);
});

test("a host that can't be prepared stops the commit of all", async () => {
  const { end, notes, fleet } = fleetOf({ a: {}, b: { prepare: LOST } });
  await expect(end()).rejects.toBe(LOST);
  expect(of(notes, "COMMIT")).toEqual([]);
  expect(fleet.failedOn?.name).toBe("b");
});

test("a host that can't rename goes back, and takes the committed one back with it", async () => {
  const { end, notes, fleet } = fleetOf({ a: {}, b: { commit: REFUSED } });
  expect(await end()).toEqual({ a: "back", b: "back" });
  expect([of(notes, "REVERT"), of(notes, "ABORT")]).toEqual([["a REVERT"], ["b ABORT"]]);
  expect(String(fleet.signal.reason)).toContain("current could not be renamed");
});

test("a host that is lost on the way is asked again, and commits", async () => {
  const { end, notes } = fleetOf({ a: {}, b: { commit: LOST, found: { recovered: "prepared" } } });
  expect(await end()).toEqual({ a: "committed", b: "committed" });
  expect(of(notes, "COMMIT")).toEqual(["a COMMIT", "b COMMIT", "b COMMIT"]);
});

test("a host whose answer was lost is found committed, and is not told again", async () => {
  const { end, notes } = fleetOf({ a: {}, b: { commit: LOST, found: { current: "new", recovered: "committed" } } });
  expect(await end()).toEqual({ a: "committed", b: "committed" });
  expect(of(notes, "COMMIT")).toEqual(["a COMMIT", "b COMMIT"]);
});

test("a host that has gone back by itself takes the committed one back with it", async () => {
  const { end, notes } = fleetOf({ a: {}, b: { commit: LOST, found: { recovered: "undone" } } });
  expect(await end()).toEqual({ a: "back", b: "back" });
  expect(of(notes, "REVERT")).toEqual(["a REVERT"]);
});

test("a host that has gone forward by itself stays there, and no host is taken back for it", async () => {
  const { end, notes } = fleetOf({ a: {}, b: { commit: LOST, found: { current: "new", recovered: "finished" } } });
  expect(await end()).toEqual({ a: "committed", b: "finished" });
  expect(of(notes, "REVERT")).toEqual([]);
});

test("a host that is not reached again in two minutes is unknown, and the others stay committed", async () => {
  const { end, notes } = fleetOf({ a: {}, b: { commit: LOST } });
  expect(await end()).toEqual({ a: "committed", b: "unknown" });
  expect(of(notes, "REVERT")).toEqual([]);
});
