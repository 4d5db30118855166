import { randomBytes } from "node:crypto";
import type { DeployInputs } from "../../src/github/inputs";
import { systemClock } from "../../src/health/clock";
import { Host } from "../../src/host/host";
import { hostKeyTrust } from "../../src/host/known-hosts";
import { privateKey } from "../../src/host/private-key";
import type { Log } from "../../src/release/log";
import type { World } from "../../src/release/world";

/** A name that no other deploy has: the run, its attempt, and chance (one job may deploy twice). */
export const newTransaction = ({ request }: DeployInputs): string =>
  `${request.run.id ?? "local"}-${request.run.attempt}-${randomBytes(3).toString("hex")}`;

/** The real world for these inputs. @throws {UserError} when the key or the known hosts can't be used. */
export function realWorld(inputs: DeployInputs, transaction: string, log: Log, cancel: AbortSignal): World {
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
    hosts: targets,
    log,
    clock: systemClock,
    transaction,
    cancel,
  };
}
