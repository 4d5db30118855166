// A graph as text: one row a series, one character a moment.
import { dim, green, say } from "./screen";

export interface Series {
  readonly name: string;
  /** moment in seconds since 1970 -> value */
  readonly values: ReadonlyMap<number, number>;
}

export interface Frame {
  /** seconds since 1970 */
  readonly from: number;
  readonly to: number;
  /** seconds a character */
  readonly step: number;
}

/** What happened at which second since 1970. */
export type Mark = readonly [at: number, text: string];

/** 0 where nothing was measured; what Prometheus could not divide (NaN) does not count. */
export const highest = (series: readonly Series[]): number =>
  Math.max(0, ...series.flatMap(({ values }) => [...values.values()].filter((value) => !Number.isNaN(value))));

/** Nothing is a space, 0 a dot; the rest is by height, all rows of one graph by the same scale. */
export function graphRows(series: readonly Series[], { from, to, step }: Frame): string[] {
  const most = highest(series) || 1;
  const height = (value: number | undefined): string => {
    if (value === undefined || Number.isNaN(value)) return " ";
    if (value <= 0) return "·";
    return "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((value / most) * 8))] ?? " ";
  };
  const count = Math.round((to - from) / step) + 1;
  return series.map(({ values }) =>
    Array.from({ length: count }, (_, n) => height(values.get(from + n * step))).join(""),
  );
}

/** Marks are shown below the rows. */
export function printGraph(title: string, series: readonly Series[], frame: Frame, marks: readonly Mark[]): void {
  const width = Math.max(6, ...series.map(({ name }) => name.length));
  say(dim(`  ${title}, a character every ${frame.step} s:`));
  for (const [n, row] of graphRows(series, frame).entries())
    say(`  ${(series[n]?.name ?? "").padEnd(width)} ${green(row)}`);
  for (const [at, text] of marks)
    say(dim(`  ${" ".repeat(width)} ${" ".repeat(Math.max(0, Math.floor((at - frame.from) / frame.step)))}↑ ${text}`));
}
