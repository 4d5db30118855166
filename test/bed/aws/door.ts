// Boxes whose port 22 follows the rules of a security group.
import { DescribeSecurityGroupRulesCommand, type EC2Client, type SecurityGroupRule } from "@aws-sdk/client-ec2";
import type { BedHost } from "../bed";
import { docker } from "../run";
import type { Player } from "./front";

/** The calls after which another source may get in. */
export const ruleChanges = [
  "ec2:AuthorizeSecurityGroupIngress",
  "ec2:RevokeSecurityGroupIngress",
  "ec2:ModifySecurityGroupRules",
  "ec2:DeleteSecurityGroup",
];

export class Doors {
  readonly #groups = new Map<BedHost, string>();
  #applied: Promise<unknown> = Promise.resolve();

  constructor(private readonly ec2: EC2Client) {}

  async lock(host: BedHost, group: string): Promise<void> {
    this.#groups.set(host, group);
    await this.apply();
  }

  async open(host: BedHost): Promise<void> {
    this.#groups.delete(host);
    await this.apply(); // one that is under way would lock it again
    await docker(["exec", host.container, "bed-access", "unlock"]);
  }

  /** One after the other, so that what the boxes have at the end is what the groups have. */
  apply(): Promise<void> {
    const applied = this.#applied.then(async () => {
      await Promise.all([...this.#groups].map(([host, group]) => this.#follow(host, group)));
    });
    this.#applied = applied.catch(() => {});
    return applied;
  }

  /** Answers a change of rules once the boxes follow it. */
  readonly change: Player = async (_call, moto) => {
    const answer = await moto();
    await this.apply();
    return answer;
  };

  async #follow(host: BedHost, group: string): Promise<void> {
    const { SecurityGroupRules = [] } = await this.ec2.send(
      new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [group] }] }),
    );
    // The bed's network has no IPv6: rules for it let nobody in.
    const sources = SecurityGroupRules.filter(letsSshIn).flatMap(({ CidrIpv4 }) => CidrIpv4 ?? []);
    await docker(["exec", host.container, "bed-access", "lock", ...new Set(sources)]);
  }
}

function letsSshIn({ IsEgress, IpProtocol, FromPort = -1, ToPort = -1 }: SecurityGroupRule): boolean {
  return !IsEgress && (IpProtocol === "-1" || (IpProtocol === "tcp" && FromPort <= 22 && 22 <= ToPort));
}
