import type { Design } from "./state";

/**
 * What a runner sends for a release beside a live one, in the order of src/release/transact.ts and what it calls:
 * startCandidate, writeCandidateConfig, fillSlot, shift, bake, commit, retire. order.test.ts holds these tables to that
 * code, for a new release and for one that comes back. `old` serves in blue, the candidate comes to green.
 */
export type Entry =
  | "begin"
  | "forget candidate"
  | "remove candidate"
  | "rest candidate"
  | "vacate green"
  | "ready blue"
  | "policy candidate no"
  | "policy candidate always"
  | "policy old no"
  | "vacate blue"
  | "stop old";

export type Mutation =
  | "create candidate"
  | "start candidate"
  | "write release"
  | "fill green"
  | "share with green"
  | "shift to green"
  | "policy candidate always";

export interface Line {
  readonly kind: "begin" | "undo" | "retire";
  readonly entry: Entry;
}

export type Row =
  | { readonly to: "guard"; readonly line: number; readonly pipelined: boolean }
  | { readonly to: "guard"; readonly deed: Mutation; readonly pipelined: boolean }
  | { readonly to: "guard"; readonly commit: true }
  | { readonly to: "guard"; readonly finish: true; readonly pipelined: boolean }
  | { readonly to: "docker"; readonly call: "create candidate" | "start candidate" }
  | { readonly to: "nobody"; readonly look: "bake" };

export interface Program {
  readonly rows: readonly Row[];
  /** the journal, line by line; a journal on the host is always a beginning of it */
  readonly lines: readonly Line[];
  /** the line that takes a mutation back */
  readonly undoOf: Readonly<Record<Mutation, number>>;
}

export type Draft =
  | readonly ["begin" | "undo" | "retire", Entry]
  | readonly ["and undo" | "and retire", Entry] // sent without waiting for the answer to the one before
  | readonly ["docker", "create candidate" | "start candidate"]
  | readonly ["do", Mutation]
  | readonly ["and do", Mutation]
  | readonly ["look", "bake"]
  | readonly ["commit", ""]
  | readonly ["and finish", ""];

const START: readonly Draft[] = [
  ["begin", "begin"],
  ["undo", "forget candidate"],
  ["and undo", "remove candidate"],
  ["docker", "create candidate"],
  ["docker", "start candidate"],
  ["do", "write release"],
];
const RETURN: readonly Draft[] = [
  ["begin", "begin"],
  ["undo", "rest candidate"],
  ["docker", "start candidate"],
];
const FILL: readonly Draft[] = [
  ["undo", "vacate green"],
  ["and do", "fill green"],
];
const SHARE: readonly Draft[] = [["do", "share with green"]]; // taken back as the fill is
const SHIFT: readonly Draft[] = [
  ["undo", "ready blue"],
  ["and do", "shift to green"], // the guard looks whether the slot is up
];
const BAKE: readonly Draft[] = [["look", "bake"]];
const REWRITE: readonly Draft[] = [["do", "write release"]]; // as it was, but for the slot
const POLICY: readonly Draft[] = [
  ["undo", "policy candidate no"],
  ["and do", "policy candidate always"],
];
const COMMIT: readonly Draft[] = [
  ["and retire", "policy old no"],
  ["and retire", "vacate blue"],
  ["and retire", "stop old"],
  ["commit", ""],
  ["and finish", ""],
];

export const DEPLOY: readonly Draft[] = [...START, ...FILL, ...SHIFT, ...BAKE, ...POLICY, ...COMMIT];
/** With `traffic-steps`: both serve for a while. */
export const IN_STEPS: readonly Draft[] = [...START, ...FILL, ...SHARE, ...SHIFT, ...BAKE, ...POLICY, ...COMMIT];
export const ROLLBACK: readonly Draft[] = [...RETURN, ...FILL, ...SHIFT, ...REWRITE, ...BAKE, ...POLICY, ...COMMIT];

/** The program, with the defects of a design that are the runner's. */
export function programOf(design: Design): Program {
  if (design.has("the mutation goes before its undo"))
    return compile([...START, ...[...FILL].reverse(), ...SHIFT, ...BAKE, ...POLICY, ...COMMIT]);
  if (design.has("the rename goes before the policy"))
    return compile([...START, ...FILL, ...SHIFT, ...BAKE, ["retire", "policy candidate always"], ...COMMIT]);
  if (design.has("in steps")) return compile(IN_STEPS);
  return compile(design.has("rollback") ? ROLLBACK : DEPLOY);
}

function compile(drafts: readonly Draft[]): Program {
  const lines: Line[] = [];
  const rows = drafts.map((draft): Row => {
    const [kind, what] = draft;
    if (kind === "docker") return { to: "docker", call: what };
    const pipelined = kind.startsWith("and ");
    if (kind === "do" || kind === "and do") return { to: "guard", deed: what, pipelined };
    if (kind === "look") return { to: "nobody", look: what };
    if (kind === "commit") return { to: "guard", commit: true };
    if (kind === "and finish") return { to: "guard", finish: true, pipelined };
    lines.push({ kind: kind.replace("and ", "") as Line["kind"], entry: what });
    return { to: "guard", line: lines.length - 1, pipelined };
  });
  const lineOf = (entry: Entry) => lines.findIndex((line) => line.entry === entry); // -1: nothing takes it back
  const wayOut = Math.max(lineOf("remove candidate"), lineOf("rest candidate"));
  const undoOf = {
    "create candidate": wayOut,
    "start candidate": wayOut,
    "write release": lineOf("forget candidate"),
    "fill green": lineOf("vacate green"),
    "share with green": lineOf("vacate green"),
    "shift to green": lineOf("ready blue"),
    "policy candidate always": lineOf("policy candidate no"),
  };
  return { rows, lines, undoOf };
}
