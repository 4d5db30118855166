import type { WaveSize } from "../../release/request";
import { UserError } from "../../user-error";
import type { Parse } from "./parse";
import { shown } from "./shown";

const powers: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3, t: 4 };
// Docker refuses a container with less
const leastMemory = 6 * 1024 ** 2;
const mostBytes = 1024 ** 5;

/** Docker's own units: `512m`, `1.5g`, `512MiB`; k, m and g are powers of 1024. */
const bytes: Parse<number> = (name, text) => {
  const [, amount, unit] = /^(\d{1,15}(?:\.\d{1,3})?)\s?(?:([bkmgt]?)|([kmgt])i?b)$/i.exec(text.toLowerCase()) ?? [];
  const power = powers[unit ?? text.toLowerCase().replace(/[^kmgt]/g, "")];
  const value = Math.floor(Number(amount) * 1024 ** Number(power));
  if (Number.isSafeInteger(value) && value <= mostBytes) return value;
  throw new UserError(`${name}: expected a size such as 512m or 2g, got ${shown(text)}.`);
};

export const memory: Parse<number> = (name, text) => {
  const value = bytes(name, text);
  if (value >= leastMemory) return value;
  const unit = /^\d+$/.test(text) ? ` Did you mean ${text}m?` : "";
  throw new UserError(`${name}: Docker needs at least 6m, got ${shown(text)}.${unit}`);
};

export const freeDisk: Parse<number | "auto"> = (name, text) => {
  if (text === "auto") return text;
  if (/^\d/.test(text)) return bytes(name, text);
  throw new UserError(`${name}: expected auto or a size such as 2g, got ${shown(text)}.`);
};

/** Processors, as Docker's `--cpus`, in billionths. */
export const nanoCpus: Parse<number> = (name, text) => {
  const value = /^\d{1,4}(\.\d{1,9})?$/.test(text) ? Math.round(Number(text) * 1e9) : Number.NaN;
  if (value >= 1e7 && value <= 1024e9) return value;
  throw new UserError(`${name}: expected a number of processors from 0.01 to 1024, such as 0.5, got ${shown(text)}.`);
};

/** `2` hosts, or `50%` of them. */
export const waveSize: Parse<WaveSize> = (name, text) => {
  const [, number, percent] = /^([1-9]\d{0,2})(%?)$/.exec(text) ?? [];
  const value = Number(number);
  if (number === undefined || (percent && value > 100))
    throw new UserError(
      `${name}: expected a number of hosts such as 1, or a share of them such as 50%, got ${shown(text)}.`,
    );
  return percent ? { percent: value } : { hosts: value };
};
