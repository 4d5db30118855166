import { expect, test } from "@jest/globals";
import { asked, difference, type Plan, plan, plans, report } from "./plans";

test.each([
  ["nothing", 0, "nothing to change", []],
  ["create", 4, "3 to create, 1 output", []],
  ["update", 1, "1 to update", []],
  ["secret-update", 1, "1 to update", []],
  ["replace", 1, "1 to replace", ["terraform_data.disk"]],
  ["delete", 1, "1 to delete", ["terraform_data.old"]],
  ["move", 1, "1 to move", []],
  ["forget", 1, "1 to forget", []],
  ["import", 1, "1 to update", []],
  ["output", 1, "1 output", []],
])("a plan of %s is counted as %i, told as %s, and destroys %j", (kind, changes, words, destroyed) => {
  expect(asked(plan(kind), "[count, in_words, destroyed]")).toEqual([changes, words, destroyed]);
});

test("a replacement counts as one whichever comes first, the new one or the end of the old", () => {
  const [first] = plan("replace").resource_changes;
  const turned = { resource_changes: [{ ...first, change: { ...first?.change, actions: ["create", "delete"] } }] };
  expect(asked(turned, "[in_words, (destroyed | length)]")).toEqual(["1 to replace", 1]);
});

test("what Terraform would apply counts, whatever is not known of it here", () => {
  expect(asked({ applyable: true }, "count")).toBe(1);
});

const normal = (of: unknown): string => JSON.stringify(asked(of, "normal"));

test("a plan is the same in whatever order, by whatever version, whenever and from whatever drift it is told", () => {
  const { resource_changes, ...told } = plan("create");
  const turned = [...resource_changes].reverse();
  const elsewhere = {
    ...told,
    resource_changes: turned,
    terraform_version: "9.9.9",
    timestamp: "never",
    resource_drift: [{}],
  };
  expect(normal(elsewhere)).toBe(normal(plan("create")));
});

test("each kind of change makes another plan, also where two differ in a value alone, and in one that nobody may see", () => {
  const kinds = Object.keys(plans);
  expect(kinds).toHaveLength(12);
  expect(new Set(kinds.map((kind) => normal(plan(kind)))).size).toBe(kinds.length);
});

test("what is handed from job to job has no secret", () => {
  const { "terraform_data.kept": kept } = asked<Record<string, { values: { after: { input: unknown } } }>>(
    plan("secret-update"),
    "seen",
  );
  expect(kept?.values.after.input).toEqual({ password: "(sensitive)", size: 1 });
  const output = { output_changes: { key: { actions: ["create"], after: "s3cret", after_sensitive: true } } };
  expect(JSON.stringify(asked(output, "seen"))).not.toContain("s3cret");
});

test("values of tf-vars are covered in what is shown and handed on: whole, in addresses, and as JSON writes them", () => {
  const tfvars =
    'alert_email = "you@example.com" # "mine"\nkey = "say \\"hello\\""\ncidrs = ["203.0.113.7/32", "ten"]\n';
  const hidden = asked<string[]>(tfvars, "hidden");
  expect(hidden).toEqual(["you@example.com", "203.0.113.7/32", 'say \\"hello\\"', 'say "hello"']);
  const seen = { 'rule["ssh 203.0.113.7/32"]': { to: "you@example.com", said: 'say "hello"', size: "ten" } };
  const covered = asked<string>(JSON.stringify(seen), `covered(${JSON.stringify(hidden)})`);
  expect(JSON.parse(covered)).toEqual({ 'rule["ssh ***"]': { to: "***", said: "***", size: "ten" } });
});

test.each<[string, Plan, Plan, string[]]>([
  ["the same", plan("update"), plan("update"), []],
  [
    "other values",
    plan("update"),
    plan("other-update"),
    ["terraform_data.kept: to update, with other values of input.size"],
  ],
  ["a secret", plan("secret-update"), plan("other-secret-update"), []],
  [
    "something else",
    plan("replace"),
    plan("delete"),
    [
      "terraform_data.disk: to replace was approved, and is not to be done any more",
      "terraform_data.old: to delete, which nobody approved",
    ],
  ],
  [
    "another action",
    plan("forget"),
    plan("delete"),
    ["terraform_data.old: to forget was approved, now it is to delete"],
  ],
  [
    "nothing any more",
    plan("output"),
    plan("nothing"),
    ["output.size: to update was approved, and is not to be done any more"],
  ],
])("two plans that differ in %s are told apart by resource", (_, approved, now, lines) => {
  expect(difference(approved, now)).toEqual(lines);
});

test("a comment begins with what it is found by, and says what is planned, of which commit, and where the run is", () => {
  expect(report("  # a will be updated\n")).toBe(`<!-- terraform-plan 1 -->

### Terraform in \`terraform\` for infrastructure: 1 to update

<details><summary>The plan</summary>

\`\`\`
  # a will be updated
\`\`\`

</details>

Commit \`0123456789ab\`, plan \`aaaaaaaaaaaa\`, [the run](https://github.com/acme/shop/actions/runs/1)`);
});

test("what a plan destroys, and why it is refused, stands before the plan", () => {
  const text = report("plan", { reason: "It may not.", destroyed: ['a["`<b>"]', "c"] });
  const [reason, list, folded] = ["❌ It may not.", '**It destroys 2:**\n\n```\na["`<b>"]\nc\n```', "<details>"].map(
    (part) => text.indexOf(part),
  );
  expect([reason, list, folded]).toEqual([...[reason, list, folded]].sort((a = 0, b = 0) => a - b));
  expect(reason).toBeGreaterThan(0);
});

/** The lines between the fences of the plan. */
const inside = (comment: string): string =>
  /<\/summary>\n\n(`{3,})\n([\s\S]*)\n\1\n\n<\/details>/.exec(comment)?.[2] ?? "";

test.each(["```\n<img src=x>\n```", "`````\n````", "</details>\n@octocat", "-->\n~~~"])(
  "nothing in a plan gets out of its block: %j",
  (text) => {
    const comment = report(text);
    const [, mark = ""] = /<\/summary>\n\n(`+)\n/.exec(comment) ?? [];
    expect(inside(comment)).toBe(text);
    expect(text).not.toContain(mark);
  },
);

test("the names that a caller gives can't be marks of Markdown", () => {
  expect(report("", { directory: "a`<b>", environment: "[x](y)" })).toContain("### Terraform in `a??b?` for ?x??y?: ");
});

test.each([
  ["one byte a character", "x"],
  ["two", "é"],
  ["three", "中"],
  ["four", "🚀"],
])("a plan of %s is cut by lines to what GitHub takes, and says so", (_, letter) => {
  const lines = Array.from({ length: 9000 }, (__, n) => `${n} ${letter.repeat(9)}`);
  const comment = report(lines.join("\n"));
  const size = Buffer.byteLength(comment);
  expect(size).toBeLessThanOrEqual(65536);
  expect(size).toBeGreaterThan(65536 - 60); // the next line had no room
  const kept = inside(comment).split("\n");
  expect(kept).toEqual(lines.slice(0, kept.length));
  expect(comment).toContain(`✂️ ${kept.length} of its 9000 lines are here; the log of the run has all.`);
});

test("a plan that just fits is whole", () => {
  const frame = Buffer.byteLength(report("x".repeat(1), {}, 1e6)) - 1;
  const note = Buffer.byteLength("✂️ 1 of its 1 lines are here; the log of the run has all.\n\n");
  const fits = report("x".repeat(65536 - frame - note));
  expect(Buffer.byteLength(fits)).toBe(65536 - note);
  expect(fits).not.toContain("✂️");
  expect(report("x".repeat(65536 - frame - note + 1))).toContain("✂️ 0 of its 1 lines");
});
