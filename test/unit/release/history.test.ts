import { expect, test } from "@jest/globals";
import { type HistoryLine, parseHistory } from "../../../src/release/history";
import { listing, type Past, pastReleases } from "../../../src/release/listing";
import { refuseOlderRun } from "../../../src/release/order";
import type { ReleaseRecord } from "../../../src/release/record";

const run = (id: number) => ({
  id,
  attempt: 1,
  actor: "octocat",
  url: `https://github.example/acme/web/actions/runs/${id}`,
});
const line = (
  release: string,
  result: HistoryLine["result"],
  id: number,
  more: Partial<HistoryLine> = {},
): HistoryLine => ({
  format: 1,
  transaction: `t${id}`,
  release,
  version: `v-${release}`,
  digest: `sha256:${release}`,
  previous: "none",
  result,
  at: `2026-11-25T00:00:0${id}.000Z`,
  run: run(id),
  ...more,
});

test("reads what can be read of a history, and skips the rest", () => {
  const good = line("r1", "deployed", 1);
  const { run: _, ...withoutRun } = good;
  const odd = [withoutRun, { ...good, at: 7 }, { ...good, result: "eaten" }, [], null].map((line) =>
    JSON.stringify(line),
  );
  expect(parseHistory(`{"release"\n${odd.join("\n")}\n${JSON.stringify(good)}\n\n`)).toEqual([good]);
  expect(parseHistory("")).toEqual([]);
});

const tellOlder = (history: readonly HistoryLine[], id: number): string | undefined => {
  try {
    refuseOlderRun(run(id), history, undefined, "Start anew.");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test("orders a run behind the last committed change, a rollback included, a failed one not", () => {
  const history = [line("r1", "deployed", 1), line("r1", "rolled-back", 5), line("r2", "failed", 9)];
  expect(tellOlder(history, 4)).toBe(
    "Run 4 (attempt 1) is older than run 5 (attempt 1), which put r1 on the host. Start anew.",
  );
  expect(tellOlder(history, 5)).toBeUndefined();
  expect(tellOlder(history, 6)).toBeUndefined();
});

const record = (release: string, previous: string): ReleaseRecord => ({
  ...{
    format: 1,
    release,
    version: `v-${release}`,
    image: "shop",
    digest: `sha256:${release}`,
    container: `shop-${release}`,
  },
  ...{
    slot: "blue",
    port: 1,
    fingerprint: "",
    stopTimeout: 1,
    drainTimeout: 1,
    transaction: "",
    createdAt: "2026-11-25",
  },
  ...{ run: run(1), previous },
});
const r2 = record("r2", "r1");
const past: Past = {
  current: r2,
  releases: [record("r1", "none"), r2, record("r3", "r2"), { ...record("old", "none"), adopted: "web" }],
  isThere: () => true,
  history: [line("r0", "deployed", 1), line("r1", "deployed", 2), line("r2", "rolled-back", 3, { reason: "500s" })],
  ...{ keyOf: () => "", proxy: undefined, liveConfig: "", network: true, memory: 0 },
};

test("tells of each change who, when, which run, why, and what is left of it", () => {
  expect(pastReleases(past)).toEqual([
    {
      ...{ release: "r2", version: "v-r2", digest: "sha256:r2", when: "2026-11-25T00:00:03.000Z", who: "octocat" },
      ...{ run: run(3).url, result: "rolled-back", reason: "500s", now: "serves" },
    },
    expect.objectContaining({ release: "r1", now: "kept", reason: "" }),
    expect.objectContaining({ release: "r0", now: "gone" }),
  ]);
});

test("lists what a rollback can go to, nearest first, and then the history", () => {
  expect(listing(past)).toEqual([
    "Serves now: r2 (v-r2, sha256:r2).",
    "A rollback can go to:",
    "  to: -1   r1 (v-r1, sha256:r1), deployed 2026-11-25",
    "  to: r3   r3 (v-r3, sha256:r3), deployed 2026-11-25",
    "History, newest first:",
    `  2026-11-25T00:00:03.000Z rolled-back r2 (serves) by octocat, ${run(3).url}: 500s`,
    `  2026-11-25T00:00:02.000Z deployed r1 (kept) by octocat, ${run(2).url}`,
    `  2026-11-25T00:00:01.000Z deployed r0 (gone) by octocat, ${run(1).url}`,
  ]);
  expect(listing({ ...past, isThere: () => false })[1]).toBe("There is no other release to go back to.");
});
