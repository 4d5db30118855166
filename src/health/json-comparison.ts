import { isDeepStrictEqual } from "node:util";
import { type JSONValue, search } from "@jmespath-community/jmespath";
import { excerpt, type JsonRule } from "./expectation";
import { Patience } from "./patience";

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** `path operator value`, checked: the path compiles, and an order has a number. */
export interface JsonComparison {
  /** as it was written */
  readonly text: string;
  /** JMESPath */
  readonly path: string;
  readonly operator: Operator;
  /** JSON, or bare text */
  readonly value: string;
}

export const jsonRule = ({ text, path, operator, value }: JsonComparison): JsonRule => ({
  text,
  mismatch(document, patience) {
    try {
      const found = patience.run(() => search(document as JSONValue, path) as unknown);
      if (!found) return { text: `${path} did not end on the JSON`, brokenOff: true };
      return holds(found.value, operator, value) ? undefined : { text: `it is ${shown(found.value)}` };
    } catch (error) {
      return { text: (error as Error).message }; // a function got a value of another type than it takes
    }
  },
});

/** The value at a path as text: a version may be a number. undefined = there is none */
export function textAt(document: unknown, path: string): string | undefined {
  try {
    const found = new Patience().run(() => search(document as JSONValue, path) as unknown)?.value;
    return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
  } catch {
    return undefined;
  }
}

function holds(found: unknown, operator: Operator, value: string): boolean {
  if (operator === "=") return equals(found, value);
  if (operator === "!=") return !equals(found, value);
  if (typeof found !== "number") return false; // "10" < "9" as text: nobody means that
  return orders[operator](found, Number(value));
}

const orders: Readonly<Record<Exclude<Operator, "=" | "!=">, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** `42` is the number 42 and the text "42"; `"42"` is the text alone. */
function equals(found: unknown, value: string): boolean {
  if (found === value && !value.startsWith('"')) return true;
  try {
    return isDeepStrictEqual(found, JSON.parse(value));
  } catch {
    return false;
  }
}

const shown = (found: unknown): string =>
  found === undefined ? "nothing" : excerpt(JSON.stringify(found)).slice(1, -1);
