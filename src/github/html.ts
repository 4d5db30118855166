import { cut, safeText } from "./hostile-text";

/**
 * HTML for a job summary. GitHub reads a summary as Markdown, in which a block that begins with an HTML tag goes on to
 * the next blank line: so no block here has one, and nothing in it is read as Markdown. Escaping Markdown's own
 * characters too is the second fence.
 */
export type Html = string & { readonly html: unique symbol };

const longestText = 300;
const barLength = 20;
// GitHub takes 1 MiB for all summaries of a step
const mostBytes = 200 * 1024;

export const escaped = (text: string, longest = longestText): Html =>
  cut(safeText(text), longest)
    .replace(/[&<>"'`|*[\](){}!#~\\$]/g, entity)
    .replace(/:(?=\/\/)|@(?!sha256:)|(?<=www)\./gi, entity) as Html;

const entity = (char: string): string => `&#${char.charCodeAt(0)};`;

export const html = (strings: TemplateStringsArray, ...values: readonly (Html | number)[]): Html =>
  String.raw({ raw: strings }, ...values) as Html;

export const joined = (parts: readonly Html[]): Html => parts.join("") as Html;

export const code = (text: string): Html => (text === "" ? html`–` : html`<code>${escaped(text)}</code>`);

/** A link to an address that this code made; other schemes are text. */
export const link = (url: string, text: Html): Html =>
  /^https?:\/\/[\w.:[\]-]+(?:\/[\w./~%-]*)?$/.test(url) ? html`<a href="${url as Html}">${text}</a>` : text;

export function table(head: readonly Html[], rows: readonly (readonly Html[])[]): Html {
  const titles = head.length > 0 ? html`<tr>${joined(head.map((cell) => html`<th>${cell}</th>`))}</tr>\n` : html``;
  const body = rows.map((row) => html`<tr>${joined(row.map((cell) => html`<td>${cell}</td>`))}</tr>\n`);
  return html`<table>\n${titles}${joined(body)}</table>`;
}

/** Lines as they were written. A blank one would end the block, and Markdown would begin. */
export function preformatted(lines: readonly string[]): Html {
  const shown = lines.map((line) => (line.trim() === "" ? html`&#160;` : escaped(line, 500)));
  return html`<pre>${shown.join("\n") as Html}</pre>`;
}

export const bar = (share: number): Html => "█".repeat(Math.round(Math.min(Math.max(share, 0), 1) * barLength)) as Html;

/** A whole summary. Leaves blocks out rather than end in the middle of a tag, and says so once. */
export function capped(blocks: readonly Html[]): string {
  let summary = "";
  let leftOut = false;
  for (const block of blocks) {
    const fits = Buffer.byteLength(summary) + Buffer.byteLength(block) < mostBytes;
    if (fits) summary += `${block}\n\n`;
    else if (!leftOut) summary += "<p>(a part of the summary was too long and is left out)</p>\n\n";
    leftOut ||= !fits;
  }
  return summary;
}
