/** `1.63 s (1.56 to 1.70, n=5)`: the median, and all of the spread. */
export function figure(milliseconds: readonly number[]): string {
  const [least, most] = [Math.min(...milliseconds), Math.max(...milliseconds)].map(seconds);
  return `${seconds(median(milliseconds))} s (${least} to ${most}, n=${milliseconds.length})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2);

/** One promise: what was measured, and the most that it may be. Both in the unit of its text. */
export interface Goal {
  readonly what: string;
  readonly measured: string;
  readonly value: number;
  readonly most: number;
  readonly limit: string;
}

export const timed = (what: string, milliseconds: readonly number[], most: number, how = ""): Goal => ({
  what,
  measured: figure(milliseconds),
  value: median(milliseconds),
  most,
  limit: `${seconds(most)} s${how && ` (${how})`}`,
});

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

export function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => [goal.what, goal.measured, `at most ${goal.limit}`, verdict(goal)]);
  return table(["goal", "measured: median (spread)", "limit", ""], rows);
}

export const holds = ({ value, most }: Goal): boolean => value <= most;

const verdict = (goal: Goal): string =>
  holds(goal) ? "holds" : `**MISSED** by ${(goal.value / goal.most).toFixed(2)}x`;
