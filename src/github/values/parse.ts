/** Turns the trimmed text of an input into a checked value, or throws a UserError that begins with the input's name. */
export type Parse<T> = (name: string, text: string) => T;

/** The items of an input that takes a list: by comma or by line. */
export const items = (text: string): string[] =>
  text
    .split(/[,\r\n]+/)
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** The lines of an input that takes lines, with their numbers; blank ones are left out. */
export const lines = (text: string): { readonly number: number; readonly text: string }[] =>
  text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
