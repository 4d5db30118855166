/**
 * Text that a host, a container or a registry wrote, made fit for a job log. The runner acts on lines that begin with
 * `::` after spaces, and on `##[` anywhere; a terminal acts on escape sequences; a reader is led astray by characters
 * that turn the direction of text or take no room.
 */

const longestLine = 1000;
const mostLines = 500;

const lineEnds = /\r\n|[\r\n\v\f\u0085\u2028\u2029]/;
const [esc, bell] = ["\u001b", "\u0007"];
// ECMA-48: ESC [ and its parameters; ESC ] and other strings up to their end; ESC and one character
const escapeSequences = new RegExp(
  [
    `(?:${esc}\\[|\u009b)[0-?]*[ -/]*[@-~]`,
    `(?:${esc}[\\]PX^_]|[\u0090\u0098\u009d-\u009f])[^${bell}${esc}\u0080-\u009f]*(?:${bell}|${esc}\\\\|\u009c)`,
    `${esc}[ -/]*[0-~]`,
  ].join("|"),
  "g",
);
const controls = /\p{Cc}/gu;
// marks of direction, characters without width, tags; the joiner of emoji too
const unseen = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** One harmless line, whatever the text holds. */
export const safeText = (text: string): string =>
  text
    .split(lineEnds)
    .map(plain)
    .join(" ")
    .replace(/^(\s*)::/, "$1: :");

/** The text's lines, harmless behind any prefix; of very many, the last ones. */
export function safeLines(text: string, most = mostLines): string[] {
  const lines = text.split(lineEnds);
  if (lines.at(-1) === "") lines.pop();
  const left = lines.length - most;
  const kept = lines.slice(-most).map((line) => cut(plain(line), longestLine));
  return left > 0 ? [`… ${left} lines before these are left out`, ...kept] : kept;
}

export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).toWellFormed()}… (${text.length - longest} more characters)`;
}

/** Breaks `##[` last: dropping a character can join it. */
const plain = (line: string): string =>
  line
    .toWellFormed()
    .replaceAll("\t", "    ")
    .replace(escapeSequences, "")
    .replace(controls, "")
    .replace(unseen, "")
    .replaceAll("##[", "## [");
