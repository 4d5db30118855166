import type { Step } from "../../test/support/runner";

/** What one phase of a step's log took. */
export interface Phase {
  readonly name: string;
  readonly milliseconds: number;
  /** calls of the Engine API, and messages to the guard */
  readonly docker: number;
  readonly guard: number;
}

/** A step's log with the moment of each line, in the milliseconds of performance.now(). */
export class Timeline {
  readonly startedAt = performance.now();
  readonly lines: { readonly at: number; readonly text: string }[] = [];
  #rest = "";

  constructor(step: Step) {
    step.child.stdout?.on("data", (text: string) => {
      const at = performance.now();
      const lines = `${this.#rest}${text}`.split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.lines.push({ at, text: line });
    });
  }

  /** When the first such line came. @throws when none did */
  at(pattern: RegExp): number {
    const line = this.lines.find(({ text }) => pattern.test(text));
    if (!line) throw new Error(`no line ${pattern} in:\n${this.lines.map(({ text }) => text).join("\n")}`);
    return line.at;
  }

  /** One after the other; before the first and after the last is the process itself. */
  phases(endedAt: number): Phase[] {
    const phases: Phase[] = [];
    let from = this.startedAt;
    let name = "process start, inputs";
    let calls = { docker: 0, guard: 0 };
    const close = (at: number, next: string) => {
      if (name !== "") phases.push({ name, milliseconds: at - from, ...calls });
      [from, name, calls] = [at, next, { docker: 0, guard: 0 }];
    };
    for (const { at, text } of this.lines) {
      const group = /^::group::(.+)$/.exec(text)?.[1];
      if (group) close(at, group);
      else if (text.startsWith(`${name} done in `)) close(at, "between phases, report, exit");
      else if (/^::debug::\S+ docker: .* in \d+ ms$/.test(text)) calls.docker += 1;
      else if (/^::debug::\S+ guard: [A-Z]+ .*: [A-Z]+ in \d+ ms$/.test(text)) calls.guard += 1;
    }
    close(endedAt, "");
    return phases;
  }
}
