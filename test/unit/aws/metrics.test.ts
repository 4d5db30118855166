import { CloudWatchClient, GetMetricDataCommand, type MetricDataResult } from "@aws-sdk/client-cloudwatch";
import { beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { parseMetricRule } from "../../../src/aws/metric-rule";
import { lookAtMetrics } from "../../../src/aws/metrics";

const client = new CloudWatchClient({ region: "eu-central-1" });
const cloudwatch = mockClient(client);
beforeEach(() => {
  cloudwatch.reset();
});

const never = new AbortController().signal;
const now = new Date("2026-11-26T09:30:20Z");
const rules = (...texts: readonly string[]) => texts.map((text) => parseMetricRule("metrics", text));
const cpu = "AVG(CPUUtilization InstanceId=i-1) < 80";
const look = (...texts: readonly string[]) => lookAtMetrics(client, rules(...texts), now, never);
const answers = (...results: readonly MetricDataResult[]) =>
  cloudwatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [...results] });

test.each([
  [cpu, 41.25, "right", "it is 41.25"],
  [cpu, 80, "wrong", "it is 80"],
  ["MIN(a) > 1", 1, "wrong", "it is 1"],
  ["MIN(a) >= 1", 1, "right", "it is 1"],
  ["MAX(a) <= 0.3", 0.1 + 0.2, "wrong", "it is 0.3"],
  ["SUM(a) == 0", 0, "right", "it is 0"],
  ["COUNT(a) != 7", 7, "wrong", "it is 7"],
])("%s at %d is %s", async (text, value, standing, seen) => {
  answers({ Id: "m0", StatusCode: "Complete", Values: [value] });
  expect(await look(text)).toEqual([{ standing, kind: standing === "right" ? "holds" : "does not hold", seen }]);
});

test("a rule's window is one period that ends with this minute, asked by its own words", async () => {
  answers();
  await look("P95(Shop Latency Stage=prod, 10m) < 200");
  expect(cloudwatch.commandCalls(GetMetricDataCommand).map((call) => call.args[0].input)).toEqual([
    {
      MetricDataQueries: [
        {
          Id: "m0",
          MetricStat: {
            Metric: { Namespace: "Shop", MetricName: "Latency", Dimensions: [{ Name: "Stage", Value: "prod" }] },
            Period: 600,
            Stat: "p95",
          },
        },
      ],
      StartTime: new Date("2026-11-26T09:21:00Z"),
      EndTime: new Date("2026-11-26T09:31:00Z"),
      ScanBy: "TimestampDescending",
    },
  ]);
});

test("results come in the rules' order, over windows and pages, and the newest data point counts", async () => {
  cloudwatch.on(GetMetricDataCommand).callsFake(({ MetricDataQueries, NextToken }) => {
    if (MetricDataQueries[0].MetricStat.Period === 60)
      return { MetricDataResults: [{ Id: "m0", StatusCode: "Complete", Values: [3] }] };
    return NextToken
      ? {
          MetricDataResults: [
            { Id: "m0", StatusCode: "Complete", Values: [99] },
            { Id: "m1", StatusCode: "Complete", Values: [2] },
          ],
        }
      : { NextToken: "more", MetricDataResults: [{ Id: "m0", StatusCode: "PartialData", Values: [1, 98] }] };
  });
  const found = await look("AVG(a) < 80", "AVG(c, 1m) < 80", "AVG(b) < 80");
  expect(found.map(({ seen }) => seen)).toEqual(["it is 1", "it is 3", "it is 2"]);
});

test("no data point is blind, and says what was asked and what AWS said", async () => {
  cloudwatch.on(GetMetricDataCommand).resolves({
    MetricDataResults: [{ Id: "m0", StatusCode: "Complete", Values: [] }],
    Messages: [{ Code: "MaxMetricsExceeded", Value: "Maximum number of allowed metrics exceeded" }],
  });
  expect(await look(cpu)).toEqual([
    {
      standing: "blind",
      kind: "no data",
      seen:
        "no data point in 5 minutes of AWS/EC2 CPUUtilization, dimensions InstanceId=i-1; " +
        "AWS says: MaxMetricsExceeded: Maximum number of allowed metrics exceeded",
    },
  ]);
});

test.each(["PartialData", "InternalError", "Forbidden"] as const)("%s to the end is blind", async (StatusCode) => {
  answers({ Id: "m0", StatusCode, Values: [1], Messages: [{ Code: "Why", Value: "because" }] });
  expect(await look(cpu)).toMatchObject([
    { standing: "blind", kind: StatusCode, seen: `AWS answered ${StatusCode}; AWS says: Why: because` },
  ]);
});

test("an answer without the metric, and one that never came, are blind", async () => {
  answers();
  expect(await look(cpu)).toMatchObject([{ standing: "blind", kind: "no data" }]);
  cloudwatch.on(GetMetricDataCommand).rejects(Object.assign(new Error("Rate exceeded"), { name: "Throttling" }));
  expect(await look(cpu)).toMatchObject([
    { standing: "blind", kind: "not read", seen: "it could not be read: Throttling: Rate exceeded" },
  ]);
});

test("more rules than a call takes are asked in several", async () => {
  cloudwatch.on(GetMetricDataCommand).callsFake(({ MetricDataQueries }) => {
    if (MetricDataQueries.length > 500) throw new Error("too many");
    return {
      MetricDataResults: MetricDataQueries.map(({ Id }: MetricDataResult) => ({
        Id,
        StatusCode: "Complete",
        Values: [1],
      })),
    };
  });
  const found = await look(...Array.from({ length: 501 }, (_, index) => `AVG(a${index}) < 80`));
  expect(found.filter(({ standing }) => standing === "right")).toHaveLength(501);
});

test("a cancelled job is no look", async () => {
  const stop = new AbortController();
  cloudwatch.on(GetMetricDataCommand).callsFake(() => {
    stop.abort(new Error("cancelled"));
    throw new Error("aborted");
  });
  await expect(lookAtMetrics(client, rules(cpu), now, stop.signal)).rejects.toThrow("cancelled");
});
