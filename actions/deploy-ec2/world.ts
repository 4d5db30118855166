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
  const { host, access } = inputs;
  const way = {
    ...host,
    privateKey: privateKey(access.key, access.passphrase),
    passphrase: access.passphrase,
    trust: hostKeyTrust(access.knownHosts, host.address, host.port),
    connectTimeout: access.connectTimeout,
  };
  return {
    open: () => Host.open(way, (line) => log.debug(line)),
    hostName: host.address,
    log,
    clock: systemClock,
    transaction,
    cancel,
  };
}
