import { DescribeInstanceStatusCommand, EC2Client, type InstanceStatus } from "@aws-sdk/client-ec2";
import { beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { judgeInstances } from "../../../src/aws/instance-status";
import { UserError } from "../../../src/user-error";

const client = new EC2Client({ region: "eu-central-1" });
const ec2 = mockClient(client);
beforeEach(() => {
  ec2.reset();
});

const never = new AbortController().signal;
const judge = (...ids: readonly string[]) => judgeInstances({ client, region: "eu-central-1" }, ids, never);

type Check = "ok" | "impaired" | "initializing" | "insufficient-data" | "not-applicable";
const running = (id: string, system: Check, instance: Check, ebs?: Check): InstanceStatus => ({
  InstanceId: id,
  InstanceState: { Name: "running" },
  SystemStatus: { Status: system },
  InstanceStatus: { Status: instance },
  ...(ebs ? { AttachedEbsStatus: { Status: ebs } } : {}),
});

test.each([
  ["all checks passed", running("i-1", "ok", "ok", "ok"), "healthy", "system ok, instance ok, EBS ok"],
  ["no EBS check exists", running("i-1", "ok", "ok"), "healthy", "EBS not-applicable"],
  ["the system is impaired", running("i-1", "impaired", "ok", "ok"), "unhealthy", "system impaired"],
  ["the instance is impaired", running("i-1", "ok", "impaired", "ok"), "unhealthy", "instance impaired"],
  ["a volume is impaired", running("i-1", "ok", "ok", "impaired"), "unhealthy", "EBS impaired"],
  ["it has just started", running("i-1", "ok", "initializing", "ok"), "inconclusive", "instance initializing"],
  ["a check has no data", running("i-1", "insufficient-data", "ok"), "inconclusive", "system insufficient-data"],
  ["no check applies", running("i-1", "not-applicable", "not-applicable"), "inconclusive", "system not-applicable"],
  [
    "the answer has no checks",
    { InstanceId: "i-1", InstanceState: { Name: "running" } },
    "inconclusive",
    "insufficient",
  ],
  ["it is pending", { InstanceId: "i-1", InstanceState: { Name: "pending" } }, "inconclusive", "is pending"],
  ["it is stopped", { InstanceId: "i-1", InstanceState: { Name: "stopped" } }, "unhealthy", "is stopped"],
  ["it is terminated", { InstanceId: "i-1", InstanceState: { Name: "terminated" } }, "unhealthy", "is terminated"],
  ["another instance is answered", running("i-2", "ok", "ok"), "inconclusive", "is not in AWS's answer"],
] as const)("an instance is judged when %s", async (_what, found, status, says) => {
  ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [found] });
  const findings = await judge("i-1");
  expect(findings).toEqual([{ status, says: expect.stringContaining(says) }]);
  expect(findings[0]?.says).toMatch(/^i-1 /);
});

test("instances that do not run are asked for, too, over pages and a hundred at a time", async () => {
  ec2.on(DescribeInstanceStatusCommand).callsFake(({ InstanceIds, IncludeAllInstances, NextToken }) => {
    if (!IncludeAllInstances || InstanceIds.length > 100) throw new Error("not so");
    const page = NextToken ? InstanceIds.slice(60) : InstanceIds.slice(0, 60);
    const more = !NextToken && InstanceIds.length > 60 ? { NextToken: "more" } : {};
    return { InstanceStatuses: page.map((id: string) => running(id, "ok", "ok")), ...more };
  });
  const ids = Array.from({ length: 170 }, (_, index) => `i-${index}`);
  const findings = await judge(...ids);
  expect(findings.map(({ says }) => says.split(" ")[0])).toEqual(ids);
  expect(findings.every(({ status }) => status === "healthy")).toBe(true);
});

test("an id that AWS does not know is a user's mistake", async () => {
  const error = new Error("The instance ID 'i-9' does not exist");
  ec2.on(DescribeInstanceStatusCommand).rejects(Object.assign(error, { name: "InvalidInstanceID.NotFound" }));
  const refused = judge("i-9");
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await expect(refused).rejects.toThrow(
    "instance-ids: The instance ID 'i-9' does not exist in eu-central-1. Look at the ids and at aws-region.",
  );
});

test("a read that fails is inconclusive with its reason, a cancelled job is not", async () => {
  const error = Object.assign(new Error("not authorized"), { name: "UnauthorizedOperation" });
  ec2.on(DescribeInstanceStatusCommand).rejects(error);
  expect(await judge("i-1", "i-2")).toEqual([
    { status: "inconclusive", says: "i-1 could not be read: UnauthorizedOperation: not authorized." },
    { status: "inconclusive", says: "i-2 could not be read: UnauthorizedOperation: not authorized." },
  ]);
  const stop = new AbortController();
  stop.abort(new Error("cancelled"));
  await expect(judgeInstances({ client, region: "eu-central-1" }, ["i-1"], stop.signal)).rejects.toThrow("cancelled");
});
