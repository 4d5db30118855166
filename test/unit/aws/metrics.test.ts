import { CloudWatchClient, GetMetricDataCommand, type MetricDataResult } from "@aws-sdk/client-cloudwatch";
import { beforeEach, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { parseMetricRule } from "../../../src/aws/metric-rule";
import { judgeMetrics } from "../../../src/aws/metrics";

const client = new CloudWatchClient({ region: "eu-central-1" });
const cloudwatch = mockClient(client);
beforeEach(() => {
  cloudwatch.reset();
});

const never = new AbortController().signal;
const now = new Date("2026-11-26T09:30:20Z");
const rules = (...texts: readonly string[]) => texts.map((text) => parseMetricRule("metrics", text));
const cpu = "AVG(CPUUtilization InstanceId=i-1) < 80";
const judge = (...texts: readonly string[]) => judgeMetrics(client, rules(...texts), now, never);
const answers = (...results: readonly MetricDataResult[]) =>
  cloudwatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [...results] });

test.each([
  [cpu, 41.25, "healthy", `${cpu} holds: it is 41.25.`],
  [cpu, 80, "unhealthy", `${cpu} does not hold: it is 80.`],
  ["MIN(a) > 1", 1, "unhealthy", "MIN(a) > 1 does not hold: it is 1."],
  ["MIN(a) >= 1", 1, "healthy", "MIN(a) >= 1 holds: it is 1."],
  ["MAX(a) <= 0.3", 0.1 + 0.2, "unhealthy", "MAX(a) <= 0.3 does not hold: it is 0.3."],
  ["SUM(a) == 0", 0, "healthy", "SUM(a) == 0 holds: it is 0."],
  ["COUNT(a) != 7", 7, "unhealthy", "COUNT(a) != 7 does not hold: it is 7."],
])("%s at %d is %s", async (text, value, status, says) => {
  answers({ Id: "m0", StatusCode: "Complete", Values: [value] });
  expect(await judge(text)).toEqual([{ status, value, says }]);
});

test("a rule's window is one period that ends with this minute, asked by its own words", async () => {
  answers();
  await judge("P95(Shop Latency Stage=prod, 10m) < 200");
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
  const found = await judge("AVG(a) < 80", "AVG(c, 1m) < 80", "AVG(b) < 80");
  expect(found.map(({ value, status }) => [value, status])).toEqual([
    [1, "healthy"],
    [3, "healthy"],
    [2, "healthy"],
  ]);
});

test("no data point is inconclusive, and says what was asked and what AWS said", async () => {
  cloudwatch.on(GetMetricDataCommand).resolves({
    MetricDataResults: [{ Id: "m0", StatusCode: "Complete", Values: [] }],
    Messages: [{ Code: "MaxMetricsExceeded", Value: "Maximum number of allowed metrics exceeded" }],
  });
  expect(await judge(cpu)).toEqual([
    {
      status: "inconclusive",
      value: undefined,
      says:
        `${cpu}: no data point in 5 minutes of AWS/EC2 CPUUtilization, dimensions InstanceId=i-1. ` +
        "AWS says: MaxMetricsExceeded: Maximum number of allowed metrics exceeded.",
    },
  ]);
});

test.each(["PartialData", "InternalError", "Forbidden"] as const)(
  "%s to the end is inconclusive",
  async (StatusCode) => {
    answers({ Id: "m0", StatusCode, Values: [1], Messages: [{ Code: "Why", Value: "because" }] });
    expect(await judge(cpu)).toMatchObject([
      { status: "inconclusive", says: `${cpu}: AWS answered ${StatusCode}. AWS says: Why: because.` },
    ]);
  },
);

test("an answer without the metric, and one that never came, are inconclusive", async () => {
  answers();
  expect(await judge(cpu)).toMatchObject([{ status: "inconclusive" }]);
  cloudwatch.on(GetMetricDataCommand).rejects(Object.assign(new Error("Rate exceeded"), { name: "Throttling" }));
  expect(await judge(cpu)).toMatchObject([
    { status: "inconclusive", says: `${cpu}: it could not be read: Throttling: Rate exceeded.` },
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
  const found = await judge(...Array.from({ length: 501 }, (_, index) => `AVG(a${index}) < 80`));
  expect(found.filter(({ status }) => status === "healthy")).toHaveLength(501);
});

test("a cancelled job is no finding", async () => {
  const stop = new AbortController();
  cloudwatch.on(GetMetricDataCommand).callsFake(() => {
    stop.abort(new Error("cancelled"));
    throw new Error("aborted");
  });
  await expect(judgeMetrics(client, rules(cpu), now, stop.signal)).rejects.toThrow("cancelled");
});
