import type { HostKeys } from "../aws/host-keys";
import type { FreshKey } from "../aws/instance-connect";
import type { Ec2Host } from "../aws/instances";
import type { HostInputs } from "../github/host-inputs";
import { isInstanceId } from "../github/values/ec2";
import { type HostAddress, MOST_HOSTS } from "../github/values/host-address";
import { Host } from "../host/host";
import { hostKeyTrust, speaksOf } from "../host/known-hosts";
import { privateKey } from "../host/private-key";
import type { Log } from "../release/log";
import type { Target } from "../release/world";
import { UserError } from "../user-error";
import type { AskAws } from "./aws";

/** A host, and the instance that it is, where AWS was asked. */
interface Place extends HostAddress {
  readonly instance?: Ec2Host;
}

/**
 * The hosts that the inputs mean, each with its way in. AWS is asked only for what the inputs leave to it: the instances,
 * their host keys, and to let a key in that is made here.
 *
 * @throws {UserError} before any host is touched
 */
export async function findHosts(inputs: HostInputs, ask: AskAws, log: Log): Promise<readonly Target[]> {
  const { named } = inputs.hosts;
  const asksAws = named.length === 0 || named.some(({ address }) => isInstanceId(address));
  if (!asksAws) return targets(inputs, named, ask, log);
  return log.phase("find", async () => {
    const places = await findInstances(inputs, ask);
    for (const { instance, user, port } of places)
      if (instance) log.info(`${called(instance)} is reached at ${user}@${instance.address}:${port}.`);
    return targets(inputs, places, ask, log);
  });
}

const called = ({ id, name, zone }: Ec2Host): string => `${id} (${name ? `${name}, ` : ""}${zone})`;

async function findInstances({ hosts }: HostInputs, ask: AskAws): Promise<readonly Place[]> {
  const { named, filters, address, user, port } = hosts;
  const { aws, access } = await ask();
  const at = (host: HostAddress, instance: Ec2Host): Place => ({ ...host, address: instance.address, instance });
  if (named.length === 0) {
    const found = await access.findInstances(aws, { input: "ec2-filters", by: { filters }, address });
    if (found.length > MOST_HOSTS)
      throw new UserError(
        `ec2-filters: ${found.length} running instances match; ${MOST_HOSTS} at most are deployed to. Narrow the filters, or deploy in several jobs.`,
      );
    return found.map((instance) => at({ user, port, address: "" }, instance));
  }
  const ids = named.map((host) => host.address).filter(isInstanceId);
  const found = await access.findInstances(aws, { input: "hosts", by: { ids }, address });
  return named.map((host) => {
    const instance = found.find(({ id }) => id === host.address);
    return instance ? at(host, instance) : host;
  });
}

async function targets(inputs: HostInputs, places: readonly Place[], ask: AskAws, log: Log): Promise<Target[]> {
  const login = loginFor(inputs, ask);
  return Promise.all(
    places.map(async (place) => {
      const { address, port, instance } = place;
      const trust = await trustIn(place, inputs, ask, log);
      const alike = places.filter((other) => other.address === address).length > 1;
      const called = instance?.id ?? address;
      const name = alike ? `${called}:${port}` : called;
      const debug = (line: string) => log.debug(places.length > 1 ? `${name}: ${line}` : line);
      const { connectTimeout } = inputs.access;
      const open = async () => Host.open({ ...place, ...(await login(place)), trust, connectTimeout }, debug);
      return { name, address, instance, open };
    }),
  );
}

/** How to log in: with the user's key, or with one made here, which the instance takes for 60 s each time it is sent. */
function loginFor({ access: { key, passphrase } }: HostInputs, ask: AskAws) {
  if (key !== "") {
    const given = { privateKey: privateKey(key, passphrase), passphrase, keyWasSent: false };
    return async () => given;
  }
  let fresh: FreshKey | undefined;
  return async ({ instance, user }: Place) => {
    const { aws, access } = await ask();
    fresh ??= access.freshKey();
    const { id: instanceId, zone } = instance as Ec2Host; // a host that is none was refused without a key
    await access.sendKey(aws, { instanceId, zone, user, publicKey: fresh.publicKey });
    return { privateKey: fresh.privateKey, passphrase: "", keyWasSent: true };
  };
}

/** What `ssh-known-hosts` says of an instance is decisive; where it says nothing, what the instance told AWS, less what is revoked there. */
async function trustIn({ address, port, instance }: Place, inputs: HostInputs, ask: AskAws, log: Log) {
  const { knownHosts } = inputs.access;
  if (!instance || speaksOf(knownHosts, address, port)) return hostKeyTrust(knownHosts, address, port);
  const { aws, access } = await ask();
  const { keys, source }: HostKeys = await access.hostKeys(aws, instance.id);
  log.info(`${instance.id}: its host keys come from ${source}.`);
  return hostKeyTrust([knownHosts, ...keys].join("\n"), address, port, source);
}
