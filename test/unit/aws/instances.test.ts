import {
  DescribeInstancesCommand,
  EC2Client,
  type Instance,
  RunInstancesCommand,
  StopInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { findInstances, type WantedInstances } from "../../../src/aws/instances";
import type { Aws } from "../../../src/aws/session";
import type { Moto } from "../../bed/aws/moto";
import { startMoto, testAws } from "../../support/moto";

const byIds = (...ids: string[]): WantedInstances => ({ input: "hosts", by: { ids }, address: "public" });
const byName = (...values: string[]): WantedInstances => ({
  input: "ec2-filters",
  by: { filters: [{ name: "tag:Name", values }] },
  address: "public",
});

describe("finding instances", () => {
  let aws: Aws;
  let moto: Moto;
  let ids: string[] = [];

  const start = async (name: string, count: number): Promise<string[]> => {
    const tags = [{ ResourceType: "instance" as const, Tags: [{ Key: "Name", Value: name }] }];
    const sizes = { MinCount: count, MaxCount: count };
    const asked = new RunInstancesCommand({ ImageId: "ami-12c6146b", ...sizes, TagSpecifications: tags });
    return ((await aws.ec2.send(asked)).Instances ?? []).map(({ InstanceId = "" }) => InstanceId);
  };
  beforeAll(async () => {
    moto = await startMoto();
    aws = await testAws();
    ids = await start("web", 3);
    const stopped = await start("batch", 2);
    await aws.ec2.send(new StopInstancesCommand({ InstanceIds: stopped }));
    ids.push(...stopped);
  }, 60_000);
  afterAll(() => moto.stop());

  test("finds the running ones that filters match, in the order of their ids", async () => {
    const found = await findInstances(aws, byName("web", "batch"));
    expect(found.map(({ id }) => id)).toEqual(ids.slice(0, 3).sort());
    expect(found[0]).toEqual({
      id: expect.stringMatching(/^i-/),
      name: "web",
      zone: expect.stringMatching(/^eu-west-1[a-c]$/),
      address: expect.stringMatching(/^[\d.]+$/),
      privateIp: expect.stringMatching(/^10\./),
    });
  });

  test("finds those that are named, once each, at the address that is asked for", async () => {
    const [first = "", second = ""] = ids;
    const found = await findInstances(aws, { ...byIds(second, first, second), address: "private" });
    expect(found.map(({ id }) => id)).toEqual([first, second].sort());
    expect(found.every(({ address, privateIp }) => address === privateIp)).toBe(true);
  });

  test("says which state a named one is in that does not run", async () => {
    const [running = "", , , stopped = ""] = ids;
    await expect(findInstances(aws, byIds(running, stopped))).rejects.toThrow(
      `hosts: only running instances can be reached, and ${stopped} is stopped in the region eu-west-1.`,
    );
  });

  test.each(["i-0123456789abcdef0", "i-web"])("says that there is no instance %s", async (id) => {
    await expect(findInstances(aws, byIds(id))).rejects.toThrow(
      `hosts: AWS knows no such instance in the region eu-west-1 (${id}): `,
    );
  });

  test("shows the filters, the region and the other states when none that matches runs", async () => {
    await expect(findInstances(aws, byName("batch", "cron"))).rejects.toThrow(
      "ec2-filters: no running instance in the region eu-west-1 matches tag:Name=batch,cron (2 stopped).",
    );
    await expect(findInstances(aws, byName("cron"))).rejects.toThrow("(none in any other state)");
  });
});

const instance = (id: string, more: Partial<Instance> = {}): Instance => ({
  InstanceId: id,
  State: { Name: "running" },
  PublicIpAddress: "203.0.113.5",
  PrivateIpAddress: "10.0.0.5",
  ...more,
});

test("reads every page of AWS's answer", async () => {
  const ec2 = mockClient(EC2Client);
  ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [instance("i-2")] }], NextToken: "more" });
  ec2
    .on(DescribeInstancesCommand, { NextToken: "more" })
    .resolves({ Reservations: [{ Instances: [instance("i-1")] }] });
  const found = await findInstances(await testAws(), byName("web"));
  ec2.restore();
  expect(found.map(({ id, name, zone }) => [id, name, zone])).toEqual([
    ["i-1", "", ""],
    ["i-2", "", ""],
  ]);
});

test("points to address: private for an instance without a public address", async () => {
  const ec2 = mockClient(EC2Client);
  const { PublicIpAddress: _, ...hidden } = instance("i-1");
  ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [hidden] }] });
  const finding = findInstances(await testAws(), byIds("i-1"));
  await expect(finding).rejects.toThrow(/^address: the instance i-1 has no public IPv4 address\. .*address: private/);
  ec2.restore();
});

test("says that nothing is there when AWS's answer is empty", async () => {
  const ec2 = mockClient(EC2Client);
  ec2.on(DescribeInstancesCommand).resolves({});
  await expect(findInstances(await testAws(), byIds("i-1"))).rejects.toThrow(
    "i-1 is not found in the region eu-west-1",
  );
  ec2.restore();
});
