import { createHash } from "node:crypto";

/** A release's colour. Versions whose last character is one apart are the golden angle apart on the colour wheel. */
export function hueOf(version: string): number {
  const sum = [...version].reduce((so, character) => (so * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003, 0);
  return Math.round(sum * 137.508) % 360;
}

/** In the page and not in /style.css, which may come from another release in the middle of a shift. */
export const themeStyle = (version: string): string => `:root{--hue:${hueOf(version)}}`;

/** What lets exactly that style past the content security policy. */
export function themeHash(version: string): string {
  return `'sha256-${createHash("sha256").update(themeStyle(version)).digest("base64")}'`;
}
