import { expect, test } from "@jest/globals";
import { COMES_TO_REST, explore } from "../explore";
import { INVARIANTS } from "./invariants";
import { model } from "./model";
import { HOLES, MUTANTS, type Mutant } from "./mutants";

/** Only the one invariant is looked at: another, broken earlier, would hide whether this one can fail. */
function hunt({ does, breaks, in: faults }: Mutant) {
  const invariants = INVARIANTS.filter(({ sentence }) => sentence === breaks);
  return explore(model({ faults: faults.length, kinds: [...new Set(faults)], design: [does] }), invariants);
}

const PATIENCE = 120_000;

test.each(MUTANTS)(
  "$does: breaks “$breaks”",
  (mutant) => {
    expect(hunt(mutant).violation?.sentence).toBe(mutant.breaks);
  },
  PATIENCE,
);

test.each(HOLES)(
  "the first protocol had it, $does: breaks “$breaks”",
  (mutant) => {
    const { violation } = hunt(mutant);
    if (process.env.MODEL_TRACES) console.log(`${mutant.does}\n${violation?.trace.join("\n")}`);
    expect(violation?.sentence).toBe(mutant.breaks);
  },
  PATIENCE,
);

test("every invariant is broken by a mutant", () => {
  const broken = new Set([...MUTANTS, ...HOLES].map(({ breaks }) => breaks));
  const sentences = [...INVARIANTS.map(({ sentence }) => sentence), COMES_TO_REST];
  expect(sentences.filter((sentence) => !broken.has(sentence))).toEqual([]);
});
