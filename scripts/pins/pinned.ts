const IMAGE = /^(\s*image: )([^\s@]+)(?:@\S+)?(.*)$/gm;

/** The images that a Compose file names, without digests, each once. */
export const imagesOf = (compose: string): string[] => [
  ...new Set([...compose.matchAll(IMAGE)].map(([, , image = ""]) => image)),
];

/** The same file with the digest behind each tag; comments and all else stay. */
export const pinned = (compose: string, digests: ReadonlyMap<string, string>): string =>
  compose.replace(IMAGE, (line, before: string, image: string, after: string) => {
    const digest = digests.get(image);
    return digest ? `${before}${image}@${digest}${after}` : line;
  });
