// Tables of Markdown between two markers of a page.

/** Cells are padded as Biome formats Markdown, so that the two don't undo each other's work. */
export function table(head: readonly string[], rows: readonly string[][]): string {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const ruled = [...cells.slice(0, 1), widths.map((width) => "-".repeat(width)), ...cells.slice(1)];
  return ruled
    .map((row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`)
    .join("\n");
}

const cell = (text: string): string =>
  text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");

/** @throws where the page has not both markers `<!-- name -->` and `<!-- /name -->` */
export function replaced(page: string, name: string, rows: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(open), page.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`There are no markers ${open} and ${close} in this order.`);
  return `${page.slice(0, from + open.length)}\n${rows}\n${page.slice(to)}`;
}
