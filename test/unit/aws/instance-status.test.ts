import { DescribeInstanceStatusCommand, type EC2Client, type InstanceStatus } from "@aws-sdk/client-ec2";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type AwsClientStub, mockClient } from "aws-sdk-client-mock";
import { lookAtInstances, statusSource } from "../../../src/aws/instance-status";
import type { Aws } from "../../../src/aws/session";
import { UserError } from "../../../src/user-error";
import { testAws } from "../../support/moto";

let aws: Aws;
let ec2: AwsClientStub<EC2Client>;
beforeAll(async () => {
  aws = await testAws();
});
beforeEach(() => {
  ec2 = mockClient(aws.ec2);
});

const never = new AbortController().signal;
const look = (...ids: readonly string[]) => lookAtInstances(statusSource(aws), ids, never);

type Check = "ok" | "impaired" | "initializing" | "insufficient-data" | "not-applicable";
const running = (id: string, system: Check, instance: Check, ebs?: Check): InstanceStatus => ({
  InstanceId: id,
  InstanceState: { Name: "running" },
  SystemStatus: { Status: system },
  InstanceStatus: { Status: instance },
  ...(ebs ? { AttachedEbsStatus: { Status: ebs } } : {}),
});

test.each([
  [
    "all checks passed",
    running("i-1", "ok", "ok", "ok"),
    "right",
    "running",
    "running; status checks: system ok, instance ok, EBS ok",
  ],
  ["no EBS check exists", running("i-1", "ok", "ok"), "right", "running", "EBS not-applicable"],
  ["the system is impaired", running("i-1", "impaired", "ok", "ok"), "wrong", "impaired", "system impaired"],
  ["the instance is impaired", running("i-1", "ok", "impaired", "ok"), "wrong", "impaired", "instance impaired"],
  ["a volume is impaired", running("i-1", "ok", "ok", "impaired"), "wrong", "impaired", "EBS impaired"],
  ["it has just started", running("i-1", "ok", "initializing", "ok"), "blind", "initializing", "instance initializing"],
  [
    "a check has no data",
    running("i-1", "insufficient-data", "ok"),
    "blind",
    "insufficient-data",
    "system insufficient-data",
  ],
  [
    "no check applies",
    running("i-1", "not-applicable", "not-applicable"),
    "blind",
    "not-applicable",
    "system not-applicable",
  ],
  [
    "the answer has no checks",
    { InstanceId: "i-1", InstanceState: { Name: "running" } },
    "blind",
    "insufficient-data",
    "instance insufficient-data",
  ],
  ["it is pending", { InstanceId: "i-1", InstanceState: { Name: "pending" } }, "blind", "pending", "pending"],
  ["it is stopped", { InstanceId: "i-1", InstanceState: { Name: "stopped" } }, "wrong", "stopped", "stopped"],
  [
    "it is terminated",
    { InstanceId: "i-1", InstanceState: { Name: "terminated" } },
    "wrong",
    "terminated",
    "terminated",
  ],
  ["another instance is answered", running("i-2", "ok", "ok"), "blind", "not read", "it is not in AWS's answer"],
] as const)("an instance is seen when %s", async (_what, found, standing, kind, seen) => {
  ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [found] });
  expect(await look("i-1")).toEqual([{ standing, kind, seen: expect.stringContaining(seen) }]);
});

test("instances that do not run are asked for, too, over pages and a hundred at a time", async () => {
  ec2.on(DescribeInstanceStatusCommand).callsFake(({ InstanceIds, IncludeAllInstances, NextToken }) => {
    if (!IncludeAllInstances || InstanceIds.length > 100) throw new Error("not so");
    const page = NextToken ? InstanceIds.slice(60) : InstanceIds.slice(0, 60);
    const more = !NextToken && InstanceIds.length > 60 ? { NextToken: "more" } : {};
    const status = (id: string) => running(id, "ok", id === "i-169" ? "impaired" : "ok");
    return { InstanceStatuses: page.map(status), ...more };
  });
  const ids = Array.from({ length: 170 }, (_, index) => `i-${index}`);
  const kinds = (await look(...ids)).map(({ kind }) => kind);
  expect(kinds).toEqual([...Array(169).fill("running"), "impaired"]);
});

test("an id that AWS does not know is a user's mistake", async () => {
  const error = new Error("The instance ID 'i-9' does not exist");
  ec2.on(DescribeInstanceStatusCommand).rejects(Object.assign(error, { name: "InvalidInstanceID.NotFound" }));
  const refused = look("i-9");
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await expect(refused).rejects.toThrow(
    "instance-ids: The instance ID 'i-9' does not exist in eu-west-1. Look at the ids and at aws-region.",
  );
});

test("a read that fails is blind with its reason, a cancelled job is not", async () => {
  const error = Object.assign(new Error("not authorized"), { name: "UnauthorizedOperation" });
  ec2.on(DescribeInstanceStatusCommand).rejects(error);
  const seen = await look("i-1", "i-2");
  expect(seen).toMatchObject([
    { standing: "blind", kind: "not read" },
    { standing: "blind", kind: "not read" },
  ]);
  expect(seen[1]?.seen).toMatch(
    /^it could not be read: ec2:DescribeInstanceStatus: AWS does not allow .*\(not authorized\)/,
  );
  const stop = new AbortController();
  stop.abort(new Error("cancelled"));
  await expect(lookAtInstances(statusSource(aws), ["i-1"], stop.signal)).rejects.toThrow("cancelled");
});
