import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DescribeSecurityGroupRulesCommand,
  EC2Client,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { closeDoor, openDoor } from "../../../src/aws/door";
import { SecurityGroup } from "../../../src/aws/security-group";
import type { Aws } from "../../../src/aws/session";
import { testAws } from "../../support/moto";

const ec2 = mockClient(EC2Client);
let aws: Aws;

beforeAll(async () => {
  aws = await testAws();
});
beforeEach(() => {
  ec2.reset();
});

const fails = (name: string, message = name) => Object.assign(new Error(message), { name });
const rule = (id: string, more = {}) => ({
  SecurityGroupRuleId: id,
  IpProtocol: "tcp",
  FromPort: 22,
  ToPort: 22,
  CidrIpv4: "203.0.113.7/32",
  ...more,
});
const options = {
  groupId: "sg-1",
  port: 22,
  cidrs: ["203.0.113.7/32"],
  holder: { name: "1-1-abc", url: "https://github.com/acme/shop/actions/runs/1" },
  clock: { now: () => 0, sleep: async () => {} },
};

test("reads every page of a group's rules, and those alone that let TCP in", async () => {
  const others = [rule("sgr-2", { IsEgress: true }), rule("sgr-3", { IpProtocol: "udp" })];
  const asked = { Filters: [{ Name: "group-id", Values: ["sg-1"] }] };
  ec2.on(DescribeSecurityGroupRulesCommand, asked).resolves({ SecurityGroupRules: others, NextToken: "more" });
  const next = { ...asked, NextToken: "more" };
  ec2.on(DescribeSecurityGroupRulesCommand, next).resolves({ SecurityGroupRules: [rule("sgr-1")] });
  const rules = await new SecurityGroup(aws, "sg-1").rules();
  expect(rules).toEqual([{ id: "sgr-1", fromPort: 22, toPort: 22, cidr: "203.0.113.7/32", tags: {} }]);
});

test("says that the group is full when AWS takes no more rules", async () => {
  ec2.on(DescribeSecurityGroupRulesCommand).resolves({});
  ec2.on(AuthorizeSecurityGroupIngressCommand).rejects(fails("RulesPerSecurityGroupLimitExceeded"));
  await expect(openDoor(aws, options)).rejects.toThrow(/^ssh-security-group: sg-1 has as many rules as AWS allows/);
});

test("does not take an answer without a rule's id for an open door", async () => {
  ec2.on(DescribeSecurityGroupRulesCommand).resolves({});
  ec2.on(AuthorizeSecurityGroupIngressCommand).resolves({});
  await expect(openDoor(aws, options)).rejects.toThrow(/opened port 22 in sg-1 .* did not name the rule/);
});

test("gives up on a rule that can neither be made nor found", async () => {
  ec2.on(DescribeSecurityGroupRulesCommand).resolves({});
  ec2.on(AuthorizeSecurityGroupIngressCommand).rejects(fails("InvalidPermission.Duplicate"));
  await expect(openDoor(aws, options)).rejects.toThrow(/neither open nor can it be opened/);
});

test("opens in spite of a dead run's rule that can't be taken away, and warns of it", async () => {
  const dead = rule("sgr-9", {
    Tags: [{ Key: "hello-devops:run", Value: "https://github.com/acme/shop/actions/runs/0" }],
  });
  ec2.on(DescribeSecurityGroupRulesCommand).resolves({ SecurityGroupRules: [dead] });
  ec2.on(CreateTagsCommand).resolves({});
  ec2.on(RevokeSecurityGroupIngressCommand).rejects(fails("UnauthorizedOperation", "no"));
  ec2.on(AuthorizeSecurityGroupIngressCommand).resolves({ SecurityGroupRules: [rule("sgr-1")] });
  const { ruleIds, warnings } = await openDoor(aws, options);
  expect(ruleIds).toEqual(["sgr-1"]);
  expect(warnings).toEqual([expect.stringMatching(/rule sgr-9 .* ec2:RevokeSecurityGroupIngress: AWS does not allow/)]);
});

test("closes a rule that is too new to be listed by the id that opening gave", async () => {
  ec2.on(DescribeSecurityGroupRulesCommand).resolves({});
  ec2.on(CreateTagsCommand).rejects(fails("InvalidSecurityGroupRuleId.NotFound"));
  ec2.on(RevokeSecurityGroupIngressCommand).resolves({});
  expect(await closeDoor(aws, { ...options, ruleIds: ["sgr-1"] })).toEqual([]);
  expect(ec2.commandCalls(RevokeSecurityGroupIngressCommand).map(({ args }) => args[0].input)).toEqual([
    { GroupId: "sg-1", SecurityGroupRuleIds: ["sgr-1"] },
  ]);
});

test("warns of what stays open when the group can't even be read", async () => {
  ec2.on(DescribeSecurityGroupRulesCommand).rejects(fails("ExpiredToken", "The token has expired"));
  const warnings = await closeDoor(aws, { ...options, ruleIds: ["sgr-1"] });
  expect(warnings).toEqual([
    expect.stringMatching(/what this job opened in sg-1 could not be closed: .*have expired.*hello-devops:run:1-1-abc/),
  ]);
});
