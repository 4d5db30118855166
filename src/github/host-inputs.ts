import type { ChangeRequest, DeployRequest, LockOptions } from "../release/request";
import { UserError } from "../user-error";
import type { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { duration } from "./values/durations";
import { type Ec2Filter, ec2Filters, region, securityGroup } from "./values/ec2";
import { type HostAddress, hostAddresses, userName } from "./values/host-address";
import { boolean, matching, oneOf, portNumber } from "./values/scalars";
import { shown } from "./values/shown";
import { refuseKeyless, refuseUnknownHost } from "./values/ssh";

/** What every action that changes a host takes alike. */
export interface HostInputs {
  readonly hosts: WantedHosts;
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

/** Named, or found by filters: one of the two. */
export interface WantedHosts {
  readonly named: readonly HostAddress[];
  readonly filters: readonly Ec2Filter[];
  /** how an instance that the filters find is logged in to */
  readonly user: string;
  readonly port: number;
  /** which of an instance's addresses the runner takes */
  readonly address: "public" | "private";
  /** undefined = as the environment says */
  readonly region: string | undefined;
}

export interface Access {
  /** a private key as it was pasted; '' = EC2 Instance Connect */
  readonly key: string;
  /** '' = the key is not encrypted */
  readonly passphrase: string;
  /** known_hosts lines and SHA256: fingerprints, as they were pasted; '' = AWS knows the instance's */
  readonly knownHosts: string;
  /** in which the SSH port is open for this runner while it runs; undefined = it is open anyway */
  readonly securityGroup: string | undefined;
  readonly connectTimeout: number;
}

export const hostInputs = (from: InputReader): HostInputs => ({
  hosts: hosts(from),
  access: access(from),
  summary: from.needed("summary", boolean),
  githubToken: from.optional("github-token", asItIs) ?? "",
});

export const asItIs = (_name: string, text: string): string => text;

function hosts(from: InputReader): WantedHosts {
  const user = from.needed("ssh-user", userName);
  const port = from.needed("ssh-port", portNumber);
  from.check(() => {
    const [named, filtered] = [!from.isBlank("hosts"), !from.isBlank("ec2-filters")];
    if (named && filtered) throw new UserError("hosts: ec2-filters is given, too; give one of the two.");
    if (!named && !filtered)
      throw new UserError(
        "hosts: it is blank, and so is ec2-filters. Name the hosts, or say which instances they are.",
      );
  });
  return {
    named: from.optional("hosts", hostAddresses({ user, port })) ?? [],
    filters: from.optional("ec2-filters", ec2Filters) ?? [],
    user,
    port,
    address: from.needed("address", oneOf(["public", "private"])),
    region: from.optional("aws-region", region),
  };
}

const access = (from: InputReader): Access => ({
  key: from.raw("ssh-key", (_name, text) => text.trim()),
  passphrase: from.raw("ssh-key-passphrase", (_name, text) => text.replace(/[\r\n]+$/, "")),
  knownHosts: from.raw("ssh-known-hosts", (_name, text) => text),
  securityGroup: from.optional("ssh-security-group", securityGroup),
  connectTimeout: from.needed("connect-timeout", duration("1s", "10m")),
});

/** What is blank where only a person could say it: of a host that is no instance, AWS knows nothing. */
export function checkStrangers(from: InputReader, { access, hosts }: HostInputs): void {
  from.check(() => refuseKeyless(access, hosts.named));
  from.check(() => refuseUnknownHost(access, hosts.named));
}

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
