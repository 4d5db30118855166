// How the demo looks: colours where the terminal has them, a line that is rewritten while something goes on.
const terminal = process.stdout.isTTY === true;
const paint = (code: string) => (text: string) => (terminal ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint("1");
export const dim = paint("2");
export const green = paint("32");
export const red = paint("31");
export const cyan = paint("36");

export const say = (text = ""): void => {
  process.stdout.write(`${terminal ? "\r\u001b[K" : ""}${text}\n`);
};

/** A line that stands until the next one; left out where there is no terminal. */
export const ticker = (text: string): void => {
  if (terminal) process.stdout.write(`\r\u001b[K${text}`);
};

export const chapter = (number: number, title: string, about: string): void => {
  say();
  say(bold(cyan(`${number}. ${title}`)));
  say(dim(about));
};

export function table(rows: readonly (readonly string[])[]): void {
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? "").length));
  const widths = (rows[0] ?? []).map((_cell, column) => width(column));
  for (const [index, row] of rows.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
    say(`  ${index === 0 ? bold(line) : line}`);
  }
}
