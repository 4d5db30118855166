import { phases } from "../support/phases";
import type { Result } from "./cell";
import { cells, faults, strategiesToRun } from "./table";

/** The whole matrix as a person reads it: phases down, faults across, one table a strategy. */
export function printed(results: readonly Result[], seconds: number, hosts: number): string {
  const wrong = results.filter((result) => result.wrong.length > 0);
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0);
  const longest = Math.max(0, ...results.map(({ outage }) => outage));
  return [
    ...strategiesToRun.flatMap((strategy) => [
      "",
      grid([
        [strategy, ...faults],
        ...phases.map((phase) => [
          phase,
          ...faults.map((fault) => {
            const is = results.find(
              ({ cell }) => cell.strategy === strategy && cell.phase === phase && cell.fault === fault,
            );
            return is ? word(is, wrong.indexOf(is) + 1) : "-";
          }),
        ]),
      ]),
    ]),
    "",
    ...wrong.flatMap(({ cell, wrong: sentences }, index) =>
      sentences.map((sentence) => `(${index + 1}) ${cell.strategy}, ${cell.phase}, ${cell.fault}: ${sentence}`),
    ),
    `${results.length} of ${cells.length} cells, ${wrong.length} wrong, in ${Math.round(seconds)} s on ${hosts} hosts side by side. ` +
      `${sum((it) => it.requests)} requests; ${sum((it) => it.failed)} failed, ${wrong.length ? "see above" : "all of them in an outage of the host, its dockerd or its proxy"}; ` +
      `the longest outage: ${(longest / 1000).toFixed(1)} s.`,
    "",
  ].join("\n");
}

/** One line for each cell, as it ends. */
export const progress = (result: Result, count: number): string =>
  `${count}/${cells.length} ${result.cell.strategy}, ${result.cell.phase}, ${result.cell.fault}: ` +
  `${result.wrong.length > 0 ? `WRONG: ${result.wrong[0]?.split("\n")[0]}` : word(result, 0)}`;

/** Who served after the fault, and the time of the whole cell. */
function word({ served, seconds, outage, stuck }: Result, footnote: number): string {
  if (footnote > 0) return `WRONG (${footnote})`;
  return `ok: ${served}${stuck ? ", then finished" : ""}, ${Math.round(seconds)} s${outage ? `, out ${(outage / 1000).toFixed(1)} s` : ""}`;
}

function grid(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd();
  const [head = [], ...rest] = rows;
  return [line(head), widths.map((width) => "-".repeat(width)).join("-|-"), ...rest.map(line)].join("\n");
}
