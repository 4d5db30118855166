import { UserError } from "../../user-error";
import { isInstanceId } from "./ec2";
import type { HostAddress } from "./host-address";

/** What must be said of hosts that are named by an address: of instances, AWS knows it. */
interface Given {
  /** a private key as it was pasted; '' = none */
  readonly key: string;
  readonly passphrase: string;
  readonly knownHosts: string;
}

/** src/host reads the key itself and the lines, and knows what is wrong with them. @throws {UserError} */
export function refuseKeyless({ key, passphrase }: Given, hosts: readonly HostAddress[]): void {
  if (key.trim() !== "") return;
  const named = byAddress(hosts);
  if (passphrase !== "")
    throw new UserError(
      "ssh-key: it is blank, but ssh-key-passphrase is not. A secret that does not exist, or that a fork may not read, is blank.",
    );
  if (named === undefined) return;
  throw new UserError(
    `ssh-key: it is blank, and hosts names ${named} by its address. Put the private key into a secret and write ` +
      `\${{ secrets.SSH_KEY }}; a secret that does not exist, or that a fork may not read, is blank, too. Or let EC2 ` +
      "Instance Connect take its place, which needs the instance: write its id (i-...), or ec2-filters.",
  );
}

/** @throws {UserError} */
export function refuseUnknownHost({ knownHosts }: Given, hosts: readonly HostAddress[]): void {
  const named = byAddress(hosts);
  if (/^\s*[^\s#]/m.test(knownHosts) || named === undefined) return;
  throw new UserError(
    `ssh-known-hosts: it is blank, so ${named} could not be told from one that sits in between. Name the instance (i-..., or ec2-filters), and AWS is asked for its key. ` +
      "Or get the key on a way that you trust: run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the instance, or look for it in " +
      "`aws ec2 get-console-output --latest --output text --instance-id ID`, and write its SHA256:... here. " +
      "Don't take it from ssh-keyscan over the open internet: whoever sits in between answers that too.",
  );
}

const byAddress = (hosts: readonly HostAddress[]): string | undefined =>
  hosts.find(({ address }) => !isInstanceId(address))?.address;
