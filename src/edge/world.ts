import { randomBytes } from "node:crypto";
import type { HostInputs } from "../github/host-inputs";
import { systemClock } from "../health/clock";
import { Host } from "../host/host";
import { hostKeyTrust } from "../host/known-hosts";
import { privateKey } from "../host/private-key";
import type { Run } from "../release/request";
import type { World } from "../release/world";

/** A name that no other change has: the run, its attempt, and chance (one job may change its hosts twice). */
export const newTransaction = ({ id, attempt }: Run): string =>
  `${id ?? "local"}-${attempt}-${randomBytes(3).toString("hex")}`;

/** The real world for these inputs. @throws {UserError} when the key or the known hosts can't be used. */
export function realWorld(
  inputs: HostInputs,
  transaction: string,
  means: Pick<World, "log" | "cancel" | "conceal" | "verification">,
): World {
  const { log } = means;
  const { hosts, access } = inputs;
  const key = { privateKey: privateKey(access.key, access.passphrase), passphrase: access.passphrase };
  const several = hosts.length > 1;
  const targets = hosts.map((host) => {
    const { address, port } = host;
    const trust = hostKeyTrust(access.knownHosts, address, port);
    const way = { ...host, ...key, trust, connectTimeout: access.connectTimeout };
    const alike = hosts.filter((other) => other.address === address).length > 1;
    const name = alike ? `${address}:${port}` : address;
    return { name, address, open: () => Host.open(way, (line) => log.debug(several ? `${name}: ${line}` : line)) };
  });
  return {
    ...means,
    hosts: targets,
    clock: systemClock,
    transaction,
  };
}
