import { expect, test } from "@jest/globals";
import { COMES_TO_REST, explore, type Machine } from "./explore";

/** A walk over numbers: what leads from each to which. */
const walk = (ways: Readonly<Record<number, readonly number[]>>, optional = false): Machine<number> => ({
  initial: 0,
  key: String,
  next: (at) => (ways[at] ?? []).map((to) => ({ label: `to ${to}`, to, optional })),
});

test("counts each state once, however many ways lead to it", () => {
  const { states, transitions, depth, atRest } = explore(walk({ 0: [1, 2], 1: [3], 2: [3] }), []);
  expect({ states, transitions, depth, atRest }).toEqual({ states: 4, transitions: 4, depth: 2, atRest: 1 });
});

test("shows a shortest way to what doesn't hold", () => {
  const small = { sentence: "a number is less than 3", at: "every state", holds: (at: number) => at < 3 } as const;
  const { violation } = explore(walk({ 0: [1, 2], 1: [4], 2: [1], 4: [3] }), [small]);
  expect(violation).toEqual({ sentence: small.sentence, trace: ["to 1", "to 4"], state: 4 });
});

test("asks what has to hold at rest only there", () => {
  const three = { sentence: "it ends at 3", at: "rest", holds: (at: number) => at === 3 } as const;
  expect(explore(walk({ 0: [1], 1: [3] }), [three]).violation).toBeUndefined();
  expect(explore(walk({ 0: [1] }), [three]).violation?.state).toBe(1);
});

test("finds a ring that nothing leads out of", () => {
  expect(explore(walk({ 0: [1], 1: [2], 2: [1] }), []).violation?.sentence).toBe(COMES_TO_REST);
  expect(explore(walk({ 0: [1], 1: [2], 2: [1, 3] }), []).violation).toBeUndefined();
  expect(explore(walk({ 0: [1], 1: [0] }, true), []).violation).toBeUndefined();
});
