import { expect, test } from "@jest/globals";
import { forInstances, parseMetricRule } from "../../../src/aws/metric-rule";
import { UserError } from "../../../src/user-error";

const parse = (text: string) => parseMetricRule("metrics: line 2", text);

const minutes = (count: number) => count * 60_000;

test.each([
  [
    "AVG(CPUUtilization) < 80",
    { statistic: "Average", namespace: "AWS/EC2", metric: "CPUUtilization", dimensions: {}, window: minutes(5) },
  ],
  [
    "max( CWAgent disk_used_percent InstanceId=i-0abc path=/ , 10m )<=80.5",
    {
      statistic: "Maximum",
      namespace: "CWAgent",
      metric: "disk_used_percent",
      dimensions: { InstanceId: "i-0abc", path: "/" },
      window: minutes(10),
      comparison: "<=",
      limit: 80.5,
    },
  ],
  [
    'P99.9("My (own) shop" "Time, in ms" "Load Balancer"="a, b", 1h) != -1e3',
    {
      statistic: "p99.9",
      namespace: "My (own) shop",
      metric: "Time, in ms",
      dimensions: { "Load Balancer": "a, b" },
      window: minutes(60),
      limit: -1000,
    },
  ],
  ["COUNT(Orders, 1m) >= 1", { statistic: "SampleCount", comparison: ">=", window: minutes(1) }],
])("%s is understood", (text, rule) => {
  expect(parse(text)).toMatchObject({ text, ...rule });
});

test("what is quoted keeps its spaces, commas and equals signs", () => {
  const { metric, dimensions } = parse('SUM(Shop "a=b" Place="a, b" Kind=x) > 0');
  expect([metric, dimensions]).toEqual(["a=b", { Place: "a, b", Kind: "x" }]);
});

test.each([
  ["CPUUtilization < 80", 'is no comparison; write AVG(CPUUtilization) < 80, got "CPUUtilization < 80".'],
  ["AVG(CPUUtilization) < eighty", "is no comparison"],
  ["MEAN(CPUUtilization) < 80", 'expected AVG, MIN, MAX, SUM, COUNT or a percentile such as P95 or P99.9, got "MEAN"'],
  ["P100(Latency) < 80", 'got "P100"'],
  ["P0(Latency) < 80", 'got "P0"'],
  ["AVG(CPUUtilization) = 80", 'expected <, <=, >, >=, == or != behind the parentheses, got "="'],
  ["AVG(CPUUtilization) 80", 'got ""'],
  ["AVG(CPUUtilization) < 80%", 'expected a number to compare with, got "80%"'],
  ["AVG(CPUUtilization) <", 'expected a number to compare with, got ""'],
  [
    "AVG() < 80",
    'expected a metric in the parentheses, or a namespace and a metric, as in AVG(AWS/EC2 CPUUtilization), got ""',
  ],
  ["AVG(a b c) < 80", 'got "a b c". A name with spaces goes in double quotes.'],
  ["AVG(CPUUtilization, 90s) < 80", 'expected a window from 1m to 24h in whole minutes, got "90s"'],
  ["AVG(CPUUtilization, 25h) < 80", 'got "25h"'],
  ["AVG(CPUUtilization, 5m, 6m) < 80", 'got "5m, 6m"'],
])("%s is refused, and told what to write", (text, says) => {
  expect(() => parse(text)).toThrow(UserError);
  expect(() => parse(text)).toThrow(says);
  expect(() => parse(text)).toThrow(/^metrics: line 2/);
});

const ids = ["i-1", "i-2"];
const filled = (text: string, instances = ids) => forInstances("metrics: line 2", parse(text), instances);

test("a metric of EC2 without a dimension is asked of each instance", () => {
  expect(filled("AVG(CPUUtilization, 10m) < 80").map(({ text, dimensions }) => [text, dimensions])).toEqual([
    ["AVG(CPUUtilization InstanceId=i-1, 10m) < 80", { InstanceId: "i-1" }],
    ["AVG(CPUUtilization InstanceId=i-2, 10m) < 80", { InstanceId: "i-2" }],
  ]);
  expect(filled("AVG(AWS/EC2 CPUUtilization) < 80")[1]?.text).toBe("AVG(AWS/EC2 CPUUtilization InstanceId=i-2) < 80");
});

test("a metric with a dimension, or of one's own namespace, is asked as it is written", () => {
  for (const text of ["AVG(CPUUtilization InstanceId=i-9) < 80", "SUM(Shop Orders) > 0"])
    expect(filled(text)).toEqual([parse(text)]);
});

test("a metric of EC2 without any instance is refused", () => {
  expect(() => filled("AVG(CPUUtilization) < 80", [])).toThrow(
    new UserError(
      "metrics: line 2: CPUUtilization is of which instance? Set instance-ids or ec2-filters, or write InstanceId=i-... behind it.",
    ),
  );
});
