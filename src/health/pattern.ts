import { type Context, createContext, Script } from "node:vm";

const LIMIT = 200; // milliseconds; 1 MiB takes a pattern without traps a few

let context: Context | undefined;
const script = new Script("new RegExp(source, flags).test(text)");

/**
 * Whether the text matches. A pattern such as `^(a+)+$` takes hours on a text that somebody made for it, and nothing else
 * runs meanwhile: V8 breaks it off, but only for code that `vm` runs.
 *
 * @returns undefined = it did not end in time
 */
export function matches({ source, flags }: RegExp, text: string): boolean | undefined {
  context ??= createContext({});
  Object.assign(context, { source, flags, text });
  try {
    return script.runInContext(context, { timeout: LIMIT }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  } finally {
    Object.assign(context, { text: "" });
  }
}
