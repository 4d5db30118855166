import { isIPv4, isIPv6 } from "node:net";
import { UserError } from "../../user-error";
import { items, type Parse } from "./parse";
import { matching, portNumber } from "./scalars";
import { shown } from "./shown";

/** How `hosts` names a host. */
export interface HostAddress {
  readonly user: string;
  /** a name, an IP address (IPv6 without brackets), or the id of an instance */
  readonly address: string;
  readonly port: number;
}

const name = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*\.?$/;

export const userName = matching(/^[a-z_][a-z0-9_.-]{0,31}$/, "a user such as ec2-user or ubuntu");

export const MOST_HOSTS = 100;

/** Hosts, `[user@]address[:port]` each, by comma or line; what they leave out comes from `otherwise`. */
export function hostAddresses(otherwise: {
  readonly user: string;
  readonly port: number;
}): Parse<readonly HostAddress[]> {
  return (input, text) => {
    const named = items(text).map((host) => hostAddress(input, host, otherwise));
    if (named.length === 0) throw new UserError(`${input}: expected the address of a host, got ${shown(text)}.`);
    if (named.length > MOST_HOSTS)
      throw new UserError(
        `${input}: got ${named.length} hosts; name ${MOST_HOSTS} at most, or deploy in several jobs.`,
      );
    const seen = new Set<string>();
    for (const host of named) {
      const place = `${host.address} port ${host.port}`;
      if (seen.has(place)) throw new UserError(`${input}: ${place} is named twice. Name each host once.`);
      seen.add(place);
    }
    return named;
  };
}

function hostAddress(input: string, text: string, otherwise: { readonly user: string; readonly port: number }) {
  const [, user, bracketed, plain, port] = /^(?:([^@]*)@)?(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:/]*))?$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? "";
  if (isIPv6(text.replace(/^.*@/, "")))
    throw new UserError(`${input}: put an IPv6 address in brackets, as in [2001:db8::1]:22, got ${shown(text)}.`);
  if (bracketed === undefined ? !isAddress(address) : !isIPv6(bracketed) || bracketed.includes("%"))
    throw new UserError(
      `${input}: expected an address such as 203.0.113.7, deploy@web.example.com:2222 or [2001:db8::1]:22, or an instance such as i-0123456789abcdef0, got ${shown(text)}.`,
    );
  return {
    user: user === undefined ? otherwise.user : userName(input, user),
    address,
    port: port === undefined ? otherwise.port : portNumber(input, port),
  };
}

/** Only digits and dots is meant as an IPv4 address: `10.0.0.300` is no name. */
const isAddress = (text: string): boolean => (/^[\d.]+$/.test(text) ? isIPv4(text) : name.test(text));
