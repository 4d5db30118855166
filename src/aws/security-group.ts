import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  type IpPermission,
  paginateDescribeSecurityGroupRules,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import { UserError } from "../user-error";
import { codeOf } from "./failure";
import type { Aws } from "./session";

export type Tags = Readonly<Record<string, string>>;

/** A rule that lets TCP in. */
export interface IngressRule {
  readonly id: string;
  readonly fromPort: number;
  readonly toPort: number;
  /** '' = its source is no range of addresses */
  readonly cidr: string;
  readonly tags: Tags;
}

export interface NewRule {
  readonly port: number;
  readonly cidr: string;
  readonly description: string;
  readonly tags: Tags;
}

const GONE = new Set(["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"]);

/** The TCP ingress rules of one security group. What is already gone counts as taken away. */
export class SecurityGroup {
  constructor(
    private readonly aws: Aws,
    readonly id: string,
  ) {}

  /** @throws {UserError} */
  rules(): Promise<IngressRule[]> {
    const what = { Filters: [{ Name: "group-id", Values: [this.id] }] };
    return this.#call("ec2:DescribeSecurityGroupRules", async () => {
      const found: SecurityGroupRule[] = [];
      const paging = { client: this.aws.ec2, stopOnSameToken: true };
      for await (const page of paginateDescribeSecurityGroupRules(paging, what)) {
        found.push(...(page.SecurityGroupRules ?? []));
      }
      return found.filter((rule) => !rule.IsEgress && rule.IpProtocol === "tcp").map(ingressRule);
    });
  }

  /** The new rule's id; undefined when there is such a rule: for AWS a rule *is* its ports and its source. @throws {UserError} */
  async authorize({ port, cidr, description, tags }: NewRule): Promise<string | undefined> {
    const command = new AuthorizeSecurityGroupIngressCommand({
      GroupId: this.id,
      IpPermissions: [{ IpProtocol: "tcp", FromPort: port, ToPort: port, ...source(cidr, description) }],
      TagSpecifications: [{ ResourceType: "security-group-rule", Tags: listed(tags) }],
    });
    try {
      const answer = await this.#call("ec2:AuthorizeSecurityGroupIngress", () => this.aws.ec2.send(command));
      const id = answer.SecurityGroupRules?.[0]?.SecurityGroupRuleId;
      if (id) return id;
    } catch (failure) {
      if (codeOf(failure) === "InvalidPermission.Duplicate") return undefined;
      throw failure;
    }
    throw new UserError(
      `ssh-security-group: AWS opened port ${port} in ${this.id} for ${cidr} and did not name the rule.`,
    );
  }

  async tag(ruleId: string, tags: Tags): Promise<void> {
    const command = new CreateTagsCommand({ Resources: [ruleId], Tags: listed(tags) });
    await this.#call("ec2:CreateTags", () => this.aws.ec2.send(command)).catch(unlessGone);
  }

  async untag(ruleId: string, key: string): Promise<void> {
    const command = new DeleteTagsCommand({ Resources: [ruleId], Tags: [{ Key: key }] });
    await this.#call("ec2:DeleteTags", () => this.aws.ec2.send(command)).catch(unlessGone);
  }

  async revoke(ruleId: string): Promise<void> {
    const command = new RevokeSecurityGroupIngressCommand({ GroupId: this.id, SecurityGroupRuleIds: [ruleId] });
    await this.#call("ec2:RevokeSecurityGroupIngress", () => this.aws.ec2.send(command)).catch(unlessGone);
  }

  #call<Answer>(action: string, send: () => Promise<Answer>): Promise<Answer> {
    return this.aws.call(action, send).catch((failure) => {
      throw this.#mistake(failure) ?? failure;
    });
  }

  #mistake(cause: unknown): UserError | undefined {
    const code = codeOf(cause) ?? "";
    if (/^InvalidGroup(Id)?\.|^InvalidSecurityGroupID\./.test(code)) {
      return new UserError(
        `ssh-security-group: AWS knows no security group "${this.id}" in the region ${this.aws.region} (${code}). Check the id (sg-...), aws-region, and which account the credentials are for.`,
        { cause },
      );
    }
    if (code !== "RulesPerSecurityGroupLimitExceeded") return undefined;
    return new UserError(
      `ssh-security-group: ${this.id} has as many rules as AWS allows. Take some out, or give the deploys a security group of their own.`,
      { cause },
    );
  }
}

function unlessGone(failure: unknown): void {
  if (!GONE.has(codeOf(failure) ?? "")) throw failure;
}

const listed = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

function source(cidr: string, Description: string): IpPermission {
  return cidr.includes(":")
    ? { Ipv6Ranges: [{ CidrIpv6: cidr, Description }] }
    : { IpRanges: [{ CidrIp: cidr, Description }] };
}

function ingressRule(rule: SecurityGroupRule): IngressRule {
  return {
    id: rule.SecurityGroupRuleId ?? "",
    fromPort: rule.FromPort ?? -1,
    toPort: rule.ToPort ?? -1,
    cidr: rule.CidrIpv4 ?? rule.CidrIpv6 ?? "",
    tags: Object.fromEntries((rule.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
  };
}
