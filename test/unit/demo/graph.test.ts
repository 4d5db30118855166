import { expect, test } from "@jest/globals";
import { graphRows } from "../../../scripts/demo/graph";
import { picture } from "../../../scripts/demo/picture";

const series = (name: string, ...values: (readonly [at: number, value: number])[]) => ({
  name,
  values: new Map(values),
});
const frame = { from: 10, to: 18, step: 2 };

test("a graph has a character for each moment, all rows by one scale; what was not measured is blank", () => {
  const rows = graphRows(
    [series("v1", [10, 8], [12, 4], [14, 0], [16, Number.NaN]), series("v2", [14, 1], [18, 16])],
    frame,
  );
  expect(rows).toEqual(["▅▃·  ", "  ▁ █"]);
});

test("a graph without a value, or of zeros alone, is no error", () => {
  expect(graphRows([series("v1"), series("v2", [10, 0])], frame)).toEqual(["     ", "·    "]);
});

test("a picture breaks a line where nothing was measured, and puts marks at their second", () => {
  const drawn = picture([{ title: "errors", series: [series("v1", [10, 1], [12, 1], [16, 1], [18, 1])] }], frame, [
    [14, "v2"],
  ]);
  expect(drawn.match(/<path d="M[^"]*L[^"]*M[^"]*L[^"]*"/g)).toHaveLength(1);
  expect(drawn).toMatch(/<text x="440.0"[^>]*>v2</); // the middle
  expect(drawn).not.toContain("NaN");
});
