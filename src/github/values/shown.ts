const maxLength = 80;

/** A value that is no secret, as an error message shows it: quoted, on one line, cut. */
export function shown(value: string): string {
  const cut = value.length > maxLength ? `${value.slice(0, maxLength)}…` : value;
  return JSON.stringify(cut);
}
