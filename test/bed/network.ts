// A bed's own network. Its addresses are fixed, so that a restarted box is found where it was.
import { bedLabel, dockerName } from "./bed";
import { docker, RunError, say } from "./run";

export interface Network {
  name: string;
  /** The address with the last number N. */
  at(n: number): string;
}

export const registryAt = 2;
export const mirrorAt = 3;
export const toxiproxyAt = 4;
export const firstHostAt = 11;
export const firstOtherAt = 201;

export async function ensureNetwork(bed: string): Promise<Network> {
  const name = dockerName(bed, "net");
  const inspect = () => docker(["network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", name]);
  const subnet = await inspect().catch(async () => {
    say(`making the network ${name}`);
    await create(bed, name);
    return inspect();
  });
  const prefix = subnet.slice(0, subnet.lastIndexOf("."));
  return { name, at: (n) => `${prefix}.${n}` };
}

async function create(bed: string, name: string): Promise<void> {
  for (let third = 0; third < 256; third++) {
    const words = ["network", "create", "--label", `${bedLabel}=${bed}`, "--subnet", `10.213.${third}.0/24`, name];
    try {
      await docker(words);
      return;
    } catch (error) {
      const taken = error instanceof RunError && /overlap/i.test(error.output);
      if (!taken) throw error;
    }
  }
  throw new Error("No free subnet in 10.213.0.0/16 for the bed's network.");
}
