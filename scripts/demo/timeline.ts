import type { Load } from "../../test/support/load";
import { dim, green, red, say } from "./screen";

const SLICE = 250;

interface Slice {
  readonly byRelease: Readonly<Record<string, number>>;
  readonly failed: number;
}

/** Who answered, slice by slice, while a load runs. */
export class Timeline {
  readonly #slices: Slice[] = [];
  readonly #marks: { readonly at: number; readonly text: string }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(load: Load) {
    let last = load.result;
    this.#timer = setInterval(() => {
      const now = load.result;
      const byRelease = Object.fromEntries(
        Object.entries(now.byRelease).map(([release, count]) => [release, count - (last.byRelease[release] ?? 0)]),
      );
      this.#slices.push({ byRelease, failed: now.failed - last.failed });
      last = now;
    }, SLICE);
  }

  mark(text: string): void {
    this.#marks.push({ at: this.#slices.length, text });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One row a release, one character a slice: how much of the traffic it answered. */
  print(): void {
    const releases = [...new Set(this.#slices.flatMap(({ byRelease }) => Object.keys(byRelease)))];
    const width = Math.max(6, ...releases.map((release) => release.length));
    say(dim(`  who answered, a character every ${SLICE} ms:`));
    for (const release of releases) {
      const row = this.#slices.map(({ byRelease }) => bar(byRelease[release] ?? 0, sum(byRelease)));
      say(`  ${release.padEnd(width)} ${green(row.join(""))}`);
    }
    const failures = this.#slices.map(({ failed }) => (failed > 0 ? "!" : "·")).join("");
    say(`  ${"failed".padEnd(width)} ${failures.includes("!") ? red(failures) : dim(failures)}`);
    for (const { at, text } of this.#marks) say(dim(`  ${" ".repeat(width)} ${" ".repeat(at)}↑ ${text}`));
  }
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);
const bar = (part: number, whole: number): string => {
  if (part === 0) return " ";
  return "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((part / whole) * 8))] ?? " ";
};
