import { Patience } from "./patience";

/**
 * Whether the text matches. A pattern such as `^(a+)+$` takes hours on a text that somebody made for it.
 *
 * @returns undefined = it did not end in time
 */
export function matches({ source, flags }: RegExp, text: string, patience = new Patience()): boolean | undefined {
  return patience.run(() => new RegExp(source, flags).test(text))?.value;
}
