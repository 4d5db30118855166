import type { ChangeRequest, DeployRequest, LockOptions } from "../release/request";
import { UserError } from "../user-error";
import type { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { duration } from "./values/durations";
import { type HostAddress, hostAddresses, userName } from "./values/host-address";
import { boolean, matching, portNumber } from "./values/scalars";
import { shown } from "./values/shown";
import { knownHosts, privateKey } from "./values/ssh";

/** What every action that changes a host takes alike. */
export interface HostInputs {
  /** one at least */
  readonly hosts: readonly HostAddress[];
  readonly access: Access;
  /** write a job summary */
  readonly summary: boolean;
  /** '' = the commits of a release are not listed */
  readonly githubToken: string;
}

/** And what they are asked to do there. */
export interface ChangeInputs extends HostInputs {
  readonly request: ChangeRequest;
}

export interface Access {
  /** a private key as it was pasted */
  readonly key: string;
  /** '' = the key is not encrypted */
  readonly passphrase: string;
  /** known_hosts lines and SHA256: fingerprints, as they were pasted */
  readonly knownHosts: string;
  readonly connectTimeout: number;
}

export const hostInputs = (from: InputReader): HostInputs => ({
  hosts: hosts(from),
  access: access(from),
  summary: from.needed("summary", boolean),
  githubToken: from.optional("github-token", asItIs) ?? "",
});

export const asItIs = (_name: string, text: string): string => text;

function hosts(from: InputReader): readonly HostAddress[] {
  const user = from.needed("ssh-user", userName);
  const port = from.needed("ssh-port", portNumber);
  return from.needed("hosts", hostAddresses({ user, port }));
}

const access = (from: InputReader): Access => ({
  key: from.raw("ssh-key", (name, text) => privateKey(name, text.trim())),
  passphrase: from.raw("ssh-key-passphrase", (_name, text) => text.replace(/[\r\n]+$/, "")),
  knownHosts: from.raw("ssh-known-hosts", knownHosts),
  connectTimeout: from.needed("connect-timeout", duration("1s", "10m")),
});

export const appName = (from: InputReader, io: InputSource): string =>
  from.optional("app", name, () => appOf(io.env.GITHUB_REPOSITORY));

const name = matching(
  /^[a-z0-9][a-z0-9-]{0,29}$/,
  "1 to 30 lower-case letters, digits and hyphens that begin with a letter or digit",
);

function appOf(repository: string | undefined): string {
  const name = (repository ?? "").replace(/^.*\//, "").toLowerCase();
  const slug = name.replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "");
  if (slug !== "") return slug.slice(0, 30).replace(/-+$/, "");
  throw new UserError(`app: it is blank, and the repository's name, ${shown(name)}, makes no name. Write one.`);
}

export function verify(from: InputReader): DeployRequest["verify"] {
  const command = from.optional("verify-command", (name, text) => {
    if (!text.includes("\0")) return text;
    throw new UserError(`${name}: it holds a NUL character, which no command can.`);
  });
  const timeout = from.needed("verify-command-timeout", duration("1s", "6h"));
  return command === undefined ? undefined : { command, timeout };
}

export const lock = (from: InputReader): LockOptions => ({
  lockTimeout: from.needed("lock-timeout", duration("0s", "6h")),
  lease: from.needed("lease", duration("5s", "5m")),
  dryRun: from.needed("dry-run", boolean),
});
