// The kinds of boxes. A bed has any number of the first, host1 and so on, and one of each other kind on wish.
import { debian, debian13 } from "./base-images";
import { type HostKind, localImage } from "./bed";

export interface Kind {
  image: string;
  /** The image that it stands on. */
  base: string;
  /** Debian's packages of the Docker engine and its client. */
  engine: string;
  /** Settings in the engine's daemon.json beside those of every box, each with a comma behind it. */
  settings: string;
}

const debian12: Kind = { image: localImage("host"), base: debian, engine: "docker.io", settings: "" };

export const kinds: Readonly<Record<HostKind, Kind>> = {
  debian12,
  docker26: { image: localImage("host13"), base: debian13, engine: "docker.io docker-cli", settings: "" },
  "live-restore": { ...debian12, settings: '"live-restore": true,' },
};

/** Each is named like its kind. */
export const otherKinds = (Object.keys(kinds) as HostKind[]).filter((kind) => kind !== "debian12");

export function checkKind(text: string): HostKind {
  const kind = otherKinds.find((it) => it === text);
  if (kind) return kind;
  throw new Error(`--more: expected ${otherKinds.join(" or ")}, got "${text}".`);
}
