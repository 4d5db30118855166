import { createSocket } from "node:dgram";
import { BlockList, isIP, isIPv6 } from "node:net";
import { UserError } from "../user-error";

const networks = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10], // RFC 6598, between a provider and its customers
] as const)
  networks.addSubnet(network, prefix, "ipv4");
networks.addSubnet("fc00::", 7, "ipv6");

/** An address that only a network of its own knows (RFC 1918, RFC 4193). A name is none. */
export const isPrivate = (address: string): boolean =>
  isIP(address) !== 0 && networks.check(address, isIPv6(address) ? "ipv6" : "ipv4");

/**
 * This machine's own address on the way to another one, as a range of one (`/32`, `/128`): the kernel's choice; nothing is sent.
 *
 * @throws {UserError} when there is no way
 */
export function ownAddressTowards(address: string): Promise<string> {
  const v6 = isIPv6(address);
  return new Promise((resolve, reject) => {
    const socket = createSocket(v6 ? "udp6" : "udp4");
    socket.once("error", (cause) => {
      socket.close();
      reject(new UserError(`ssh-security-group: this runner has no way to ${address}: ${cause.message}.`, { cause }));
    });
    socket.once("connect", () => {
      const own = socket.address().address;
      socket.close();
      resolve(`${own}/${v6 ? 128 : 32}`);
    });
    socket.connect(9, address);
  });
}
