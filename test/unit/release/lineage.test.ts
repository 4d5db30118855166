import { expect, test } from "@jest/globals";
import type { HistoryLine } from "../../../src/release/history";
import { ancestorsOf, broughtBack, choose, type Kept } from "../../../src/release/lineage";
import type { ReleaseRecord } from "../../../src/release/record";

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const run = { id: 7, attempt: 1, actor: "octocat", url: "" };

/** r1 <- r2 <- r3 (which was rolled back) and r2 <- r4, which serves: what each took the place of. */
const record = (release: string, previous: string, more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  format: 1,
  release,
  version: `${release}${"0".repeat(38)}`,
  image: "ghcr.io/acme/shop",
  digest: digest(release.at(-1) ?? ""),
  container: `shop-${release}`,
  slot: "blue",
  port: 5000,
  fingerprint: "",
  stopTimeout: 10,
  drainTimeout: 5,
  transaction: "t",
  createdAt: `2026-11-2${release.at(-1)}T00:00:00.000Z`,
  run,
  previous,
  ...more,
});
const r1 = record("r1", "none");
const r2 = record("r2", "r1");
const r3 = record("r3", "r2");
const r4 = record("r4", "r2");
const { previous: _, ...unrecorded } = r4;
const releases = [r4, r1, r3, r2];
const kept: Kept = { current: r4, releases, isThere: () => true };

const chosen = (to: string, from: Kept = kept): string => {
  try {
    return choose(to, from).release;
  } catch (error) {
    return (error as Error).message;
  }
};

test("goes back the way that the releases came, past one that was rolled back", () => {
  expect(ancestorsOf(r4, releases)).toEqual([r2, r1]);
  expect(["", "-1", "-2"].map((to) => chosen(to))).toEqual(["r2", "r2", "r1"]);
  expect(chosen("", { ...kept, current: r2 })).toBe("r1");
});

test("finds a release by its id, its commit or its digest, or the beginning of one", () => {
  expect(["r3", `r3${"0".repeat(38)}`, "r3000", digest("3"), "sha256:3333"].map((to) => chosen(to))).toEqual(
    Array(5).fill("r3"),
  );
});

test("takes the release of that very id before others whose commit is the same", () => {
  const again = record("r3-2", "r4", { version: r3.version });
  const both = { ...kept, releases: [...releases, again] };
  expect(chosen("r3-2", both)).toBe("r3-2");
  expect(chosen("r3", both)).toBe("r3");
  expect(chosen(r3.version, both)).toBe(
    `to: "${r3.version}" can be several: r3 (deployed ${r3.createdAt}), r3-2 (deployed ${again.createdAt}). Name one by its id.`,
  );
});

const there = "There are: r4 (serves now), r3, r2, r1.";
const refused: readonly (readonly [what: string, to: string, from: Kept, message: string])[] = [
  ["a name that nothing has", "r9", kept, `to: no release on this host is called "r9". ${there}`],
  [
    "the beginning of several",
    "r",
    kept,
    `to: "r" can be several: ${releases.map(({ release, createdAt }) => `${release} (deployed ${createdAt})`).join(", ")}. Name one by its id.`,
  ],
  [
    "more steps than there were releases",
    "-3",
    kept,
    `to: -3 leads too far: there is no release before r1: it was the first on this host. ${there}`,
  ],
  [
    "a way back from the first",
    "",
    { ...kept, current: r1, releases: [r1] },
    "Nothing to go back to: there is no release before r1: it was the first on this host. There are: r1 (serves now).",
  ],
  [
    "a way back that an earlier version did not record",
    "",
    { ...kept, current: unrecorded, releases: [unrecorded, r3] },
    "Nothing to go back to: what was before r4 is not recorded: an earlier hello-devops deployed it. There are: r4 (serves now), r3. Name one (to).",
  ],
  [
    "a release whose record is gone",
    "",
    { ...kept, releases: [r4, r1] },
    "Nothing to go back to: the release before r4 was r2, which is no longer on this host (keep-releases of deploy-ec2 says how many stay). There are: r4 (serves now), r1.",
  ],
  [
    "a release whose container is gone",
    "",
    { ...kept, isThere: ({ release }) => release !== "r2" },
    'r2 can\'t come back: its container "shop-r2" was removed from the host. There are: r4 (serves now), r3, r1.',
  ],
];

test.each(refused)("refuses %s, and says what there is", (_what, to, from, message) => {
  expect(chosen(to, from)).toBe(message);
});

test("ends at a way that leads in a circle", () => {
  const circle = [record("r5", "r6"), record("r6", "r5")] as const;
  expect(ancestorsOf(circle[0], circle)).toEqual([circle[1]]);
});

test("knows a release that a rollback brought back, whatever failed since", () => {
  const line = (release: string, result: HistoryLine["result"]) =>
    ({ format: 1, transaction: "t", release, digest: "", previous: "", result, at: "", run }) as const;
  const rollback = line("r2", "rolled-back");
  expect(broughtBack(r2, [line("r2", "deployed"), line("r3", "deployed"), rollback, line("r4", "failed")])).toBe(
    rollback,
  );
  expect(broughtBack(r2, [rollback, line("r4", "deployed")])).toBeUndefined();
  expect(broughtBack(r4, [rollback, line("r4", "deployed")])).toBeUndefined();
});
