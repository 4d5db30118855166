import { UserError } from "../user-error";
import type { InputSource } from "./input-source";
import type { Parse } from "./values/parse";

/**
 * Reads inputs and keeps what is wrong with them, so that a person mends all of it at once.
 *
 * A wrong input yields undefined in the place of its value: nothing may look into a value before `refuseProblems`.
 */
export class InputReader {
  readonly #problems: string[] = [];

  constructor(private readonly io: InputSource) {}

  /** An input that must have a value. Its default stands in action.yml alone: the runner has filled it in. */
  needed<T>(name: string, parse: Parse<T>): T {
    return this.optional(name, parse, () => {
      throw new UserError(`${name}: it is blank. Write a value, or leave the input out to get its default.`);
    });
  }

  /** An input that may be blank. */
  optional<T>(name: string, parse: Parse<T>): T | undefined;
  optional<T>(name: string, parse: Parse<T>, blank: () => T): T;
  optional<T>(name: string, parse: Parse<T>, blank?: () => T): T | undefined {
    const text = this.io.input(name).trim();
    return this.check(() => (text === "" ? blank?.() : parse(name, text)));
  }

  /** An input whose blanks count, or that says itself what a blank one means. */
  raw<T>(name: string, parse: Parse<T>): T {
    return this.check(() => parse(name, this.io.input(name)));
  }

  isBlank(name: string): boolean {
    return this.io.input(name).trim() === "";
  }

  /** Runs one check; a UserError becomes one line of the refusal. */
  check<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#problems.push(error.message);
      return undefined as T;
    }
  }

  refuseProblems(): void {
    if (this.#problems.length > 0) throw new UserError(this.#problems.join("\n"));
  }
}
