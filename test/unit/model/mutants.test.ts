import { expect, test } from "@jest/globals";
import { COMES_TO_REST, explore } from "./explore";
import { invariantsOf } from "./invariants";
import { model } from "./model";
import { HOLES, MUTANTS, type Mutant } from "./mutants";

/** Only the one invariant is looked at: another, broken earlier, would hide whether this one can fail. */
function hunt({ does, breaks, in: faults }: Mutant) {
  const invariants = invariantsOf(new Set(does)).filter(({ sentence }) => sentence === breaks);
  return explore(model({ faults: faults.length, kinds: [...new Set(faults)], design: does }), invariants);
}

const titled = (mutants: readonly Mutant[]) =>
  mutants.map((mutant) => ({ ...mutant, what: mutant.does.join(", and ") }));

test.each(titled(MUTANTS))("$what: breaks “$breaks”", (mutant) => {
  expect(hunt(mutant).violation?.sentence).toBe(mutant.breaks);
});

test.each(titled(HOLES))("the first guard had it, $what: breaks “$breaks”", (mutant) => {
  expect(hunt(mutant).violation?.sentence).toBe(mutant.breaks);
});

test("every invariant is broken by a mutant", () => {
  const broken = new Set([...MUTANTS, ...HOLES].map(({ breaks }) => breaks));
  const sentences = [...invariantsOf(new Set()).map(({ sentence }) => sentence), COMES_TO_REST];
  expect(sentences.filter((sentence) => !broken.has(sentence))).toEqual([]);
});

test("without its defects, each mutant's histories break nothing", () => {
  for (const { in: faults, does } of [...MUTANTS, ...HOLES]) {
    const design = does.filter((defect) => ["keep-failed", "rollback", "in steps"].includes(defect));
    const sound = explore(
      model({ faults: faults.length, kinds: [...new Set(faults)], design }),
      invariantsOf(new Set(design)),
    );
    expect(sound.violation?.trace).toBeUndefined();
  }
});
