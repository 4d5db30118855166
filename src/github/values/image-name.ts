import type { ImageRequest } from "../../release/request";
import { UserError } from "../../user-error";
import type { Parse } from "./parse";
import { matching } from "./scalars";
import { shown } from "./shown";

// The grammar of github.com/distribution/reference
const part = "[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*";
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const registry = `(?:(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?/)`;
const tag = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const repository = new RegExp(`^${registry}?${part}(?:/${part})*$`);
const reference = new RegExp(`^([^@]+?)(?::(${tag}))?(?:@(sha256:[0-9a-f]{64}))?$`);
const maxLength = 255;

type Name = Pick<ImageRequest, "name" | "digest">;

export const digest = matching(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 lower-case hexadecimal digits");

/** `registry/repository[:tag][@digest]`; the input `digest`, when it was given too, must say the same. */
export function imageWith(given: string | undefined): Parse<Name> {
  return (name, text) => {
    const image = split(text);
    if (!image) throw new UserError(`${name}: ${wrong(text)}, got ${shown(text)}.`);
    if (given !== undefined && image.digest !== undefined && image.digest !== given)
      throw new UserError(`${name}: it ends in ${image.digest}, but digest says ${given}; leave one of them out.`);
    return { name: image.name, digest: given ?? image.digest };
  };
}

/** The name of an image that is run as it stands, such as the proxy's: tag and digest stay part of it. */
export const imageName: Parse<string> = (name, text) => {
  if (split(text)) return text;
  throw new UserError(`${name}: ${wrong(text)}, got ${shown(text)}.`);
};

/** The region of a private ECR registry; undefined for every other registry. */
export const ecrRegion = (image: string): string | undefined =>
  /^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\//.exec(image)?.[1];

function split(text: string): Name | undefined {
  if (text.length > maxLength + 128 + 72) return undefined;
  const [, path, tagged, pinned] = reference.exec(text) ?? [];
  if (path === undefined || path.length > maxLength || !repository.test(path)) return undefined;
  return { name: tagged === undefined ? path : `${path}:${tagged}`, digest: pinned };
}

function wrong(text: string): string {
  if (split(text.toLowerCase())) return "the names of images are lower case";
  if (/^[a-z]+:\/\//i.test(text)) return "an image has no https:// in front";
  return "expected an image such as ghcr.io/acme/shop:1.4, shop:1.4 or shop@sha256:<64 digits>";
}
