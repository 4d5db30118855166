import { createHash } from "node:crypto";
import type { DeployRequest } from "./request";

/** The committed release of a host that has none yet. */
export const NO_RELEASE = "none";

export const isNone = (release: string): boolean => release === "" || release === NO_RELEASE;

/** The release that a container made by hand becomes; there is one a host at most. */
export const ADOPTED = "adopted";

const RESERVED = [NO_RELEASE, "proxy", "proxy-next", "proxy-before", "proxy-check", ADOPTED];

/**
 * A release's id on its host: a commit's first 12 digits, or what stands for the version in lower case; `-2`, `-3` where
 * that is taken. 32 characters at most: `APP-ID` is the container's name, and a DNS label has 63 (RFC 1035).
 */
export function releaseId(version: string, taken: (id: string) => boolean): string {
  const base = slug(version);
  const free = (id: string) => !RESERVED.includes(id) && !taken(id);
  if (free(base)) return base;
  let number = 2;
  while (!free(`${base}-${number}`)) number += 1;
  return `${base}-${number}`;
}

function slug(version: string): string {
  if (/^[0-9a-f]{40}$/.test(version)) return version.slice(0, 12);
  const words = version.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return words.slice(0, 27).replace(/^-+|-+$/g, "") || "release";
}

/** Tells whether two deploys ask for the same: options, env and checks, not what bounds the deploy itself. */
export function fingerprint(request: DeployRequest): string {
  const { version, container, traffic, health, preDeploy, verify } = request;
  const text = JSON.stringify(
    { version, container, traffic, health, body: health.body?.source, preDeploy, verify },
    sorted,
  );
  return createHash("sha256").update(text).digest("hex");
}

const sorted = (_key: string, value: unknown): unknown =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
