import { type Context, createContext, Script } from "node:vm";

const LIMIT = 200; // milliseconds; 1 MiB takes a pattern or a path without traps a few

let context: Context | undefined;
const script = new Script("run()");

/**
 * Time for what a hostile text can make endless: a pattern such as `^(a+)+$`, JMESPath's `trim`. Nothing else runs
 * meanwhile, and V8 breaks off only what `vm` runs, with all that it calls. What is asked of one answer shares one.
 */
export class Patience {
  #left = LIMIT;

  /** @returns undefined = it did not end in time */
  run<T>(run: () => T): { readonly value: T } | undefined {
    if (this.#left < 1) return undefined;
    context ??= createContext({});
    const began = performance.now();
    Object.assign(context, { run });
    try {
      return { value: script.runInContext(context, { timeout: Math.floor(this.#left) }) as T };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
      throw error;
    } finally {
      this.#left -= performance.now() - began;
      Object.assign(context, { run: undefined });
    }
  }
}
