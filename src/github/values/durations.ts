import { UserError } from "../../user-error";
import type { Parse } from "./parse";
import { shown } from "./shown";

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration between two others, in milliseconds: `duration("1s", "10m")`. */
export function duration(min: string, max: string): Parse<number> {
  const [least, most] = [inMilliseconds(min), inMilliseconds(max)];
  return (name, text) => {
    const value = inMilliseconds(text);
    if (value === undefined) throw new UserError(`${name}: expected a duration such as 30s or 2m, got ${shown(text)}.`);
    if (value < Number(least) || value > Number(most))
      throw new UserError(`${name}: expected a duration from ${min} to ${max}, got ${shown(text)}.`);
    return value;
  };
}

function inMilliseconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  return amount === undefined || unit === undefined ? undefined : Number(amount) * Number(milliseconds[unit]);
}
