/** Environments that a careless way to a container would damage, always the same for one seed. */
export function oddEnv(seed: number, count: number): Record<string, string> {
  const random = mulberry32(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const env: Record<string, string> = {};
  while (Object.keys(env).length < count) {
    const name = `ODD_${Object.keys(env).length}`; // a `-` or `.` in a name would not outlive an entrypoint of sh
    const piece = () => (random() < 0.2 ? anyCharacter(random) : pick(pieces));
    const value = Array.from({ length: Math.floor(random() * 12) }, piece).join("");
    if (written(value) !== undefined) env[name] = value;
  }
  return env;
}

/** Any one of Unicode's characters but NUL and the halves of surrogate pairs, which UTF-8 can't carry. */
function anyCharacter(random: () => number): string {
  const point = Math.floor(random() * 0x10ffff) + 1;
  return point >= 0xd800 && point <= 0xdfff ? "\u{1f600}" : String.fromCodePoint(point);
}

// biome-ignore format: a list
const pieces: readonly string[] = [
  " ", "  ", "\t", "\n", "\n\n", "'", '"', "`", "\\", "\\\\", "\\n", "\\t", "$", "$HOME", "$" + "{PATH}", "$(id)", "%s", "%0A", "#", " # no comment",
  "=", ":", ";", "&&", "|", "*", "!", "{}", "[0]", "::error::x", "##[error]", "\u0001", "\u001b[31m", "\u007f", "\u0085", "\u00a0", "\u200b",
  "\u2028", "\u202e", "\ufeff", "\uffff", "é", "e\u0301", "漢字", "👩‍👩‍👧", "🏴\u{e0067}\u{e007f}", "value", "-----BEGIN KEY-----", "export A=b",
];

/** A value in npm's dotenv dialect; undefined where that dialect has no way to write it. */
function written(value: string): string | undefined {
  const plain = value !== "" && value.trim() === value && !/[\r\n#'"`]/.test(value);
  if (plain) return value;
  if (value.endsWith("\\")) return undefined; // it would escape the closing quote
  const quote = ["'", "`", '"'].find((mark) => !value.includes(mark) && (mark !== '"' || !/\\[nr]/.test(value)));
  return quote && `${quote}${value}${quote}`;
}

export const dotenvText = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${written(value)}\n`)
    .join("");

/** A small generator of numbers from 0 to 1 (Tommy Ettinger's Mulberry32, in the public domain). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
