import { UserError } from "../../user-error";
import { items, type Parse } from "./parse";
import { shown } from "./shown";

/** Shares of the traffic in whole per cent, one larger than the other, up to all of it: `10, 50, 100`. */
export const trafficSteps: Parse<number[]> = (name, text) => {
  const steps = items(text).map((item) => (/^[1-9]\d{0,2}$/.test(item) ? Number(item) : Number.NaN));
  const rising = steps.every((step, n) => step > (steps[n - 1] ?? 0));
  if (rising && steps.at(-1) === 100) return steps;
  throw new UserError(
    `${name}: expected whole numbers of per cent that rise and end at 100, such as 10, 50, 100, got ${shown(text)}.`,
  );
};

/** A percentage as a share, up to another: `percentage(1000)` of `1.5%` is 0.015. */
export const percentage =
  (most: number): Parse<number> =>
  (name, text) => {
    const value = /^\d{1,4}(\.\d{1,2})?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
    if (value <= most) return value / 100;
    throw new UserError(`${name}: expected a percentage from 0% to ${most}%, such as 1% or 0.5%, got ${shown(text)}.`);
  };
