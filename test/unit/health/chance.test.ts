import { expect, test } from "@jest/globals";
import { chanceOfAtLeast } from "../../../src/health/chance";

test.each([
  ["one try of two halves", 1, [{ count: 2, each: 0.5 }], 0.75],
  ["all of seven halves", 7, [{ count: 7, each: 0.5 }], 1 / 128],
  ["none at all", 0, [{ count: 5, each: 0.1 }], 1],
  ["more than there are tries", 6, [{ count: 5, each: 0.9 }], 0],
  ["what is sure", 5, [{ count: 5, each: 1 }], 1],
  ["what cannot be", 1, [{ count: 5, each: 0 }], 0],
  [
    "one of two unlike coins",
    1,
    [
      { count: 1, each: 0.5 },
      { count: 1, each: 0.1 },
    ],
    0.55,
  ],
  [
    "tries of one kind, told as two",
    5,
    [
      { count: 8, each: 0.1 },
      { count: 6, each: 0.1 },
    ],
    0.009230212456, // 5 or more of 14 at a tenth, by the formula
  ],
] as const)("the chance of %s is exact", (_what, least, tries, chance) => {
  expect(chanceOfAtLeast(least, ...tries)).toBeCloseTo(chance, 9);
});

test("the chance over a hundred hosts in three steps is that of their mean", () => {
  const tries = Array.from({ length: 300 }, (_, n) => ({ count: 1000, each: 0.1 + (n % 3) * 0.4 }));
  const chance = chanceOfAtLeast(150_000, ...tries); // half of all: the mean
  expect(chance).toBeGreaterThan(0.5);
  expect(chance).toBeLessThan(0.51);
});

test("the chance of many tries does not vanish", () => {
  const chance = chanceOfAtLeast(10_000, { count: 10_000, each: 0.5 }, { count: 10_000, each: 0.5 });
  expect(chance).toBeGreaterThan(0.5); // the middle itself counts
  expect(chance).toBeLessThan(0.51);
});
