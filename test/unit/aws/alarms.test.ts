import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import { expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { readAlarms, snapshotAlarms } from "../../../src/aws/alarms";
import { UserError } from "../../../src/user-error";
import { FakeAlarms } from "./cloudwatch";

const never = new AbortController().signal;

function alarms(...names: readonly string[]): FakeAlarms {
  const fake = new FakeAlarms();
  fake.metric.push(...names.map((AlarmName) => ({ AlarmName, StateValue: "OK" as const })));
  return fake;
}

test("alarms are found by name and by prefix, over several pages, composite ones too", async () => {
  const source = alarms("db-cpu", "web-1", "web-2", "web-3", "other");
  source.composite.push({ AlarmName: "web-all", StateValue: "ALARM", StateReason: "web-1 is\nin ALARM." });
  const found = await snapshotAlarms(source, ["db-cpu", "web-*"], never);
  expect([...found.keys()].sort()).toEqual(["db-cpu", "web-1", "web-2", "web-3", "web-all"]);
  expect(found.get("web-all")).toMatchObject({ state: "ALARM", reason: "web-1 is in ALARM", pace: undefined });
});

test("more names than one call takes are asked for in several", async () => {
  const names = Array.from({ length: 230 }, (_, index) => `alarm-${index}`);
  expect((await snapshotAlarms(alarms(...names), names, never)).size).toBe(230);
});

test.each([
  [
    "a name that no alarm has",
    ["web-cpu"],
    'alarms: there is no alarm "web-cpu" in eu-central-1. There are "web-1", "web-2".',
  ],
  [
    "a name that resembles nothing",
    ["shop_cpu"],
    'alarms: there is no alarm "shop_cpu" in eu-central-1. Look at its spelling and at aws-region.',
  ],
  [
    "a prefix of no alarm",
    ["web-cpu*"],
    'alarms: no alarm\'s name begins with "web-cpu" in eu-central-1. There are "web-1", "web-2".',
  ],
  ["all alarms", ["web-1", "*"], 'alarms: "*" means every alarm there is; write a prefix, as in web-*.'],
] as const)("%s is a user's mistake", async (_what, wanted, message) => {
  const failed = snapshotAlarms(alarms("web-1", "web-2"), wanted, never);
  await expect(failed).rejects.toThrow(new UserError(message));
  await expect(failed).rejects.toBeInstanceOf(UserError);
});

test("of many similar names five are shown", async () => {
  const source = alarms(..."abcdefg".split("").map((letter) => `web-${letter}`));
  await expect(snapshotAlarms(source, ["web"], never)).rejects.toThrow(/"web-a".*"web-e" and 2 more\.$/);
});

const paces: readonly (readonly [string, MetricAlarm, unknown])[] = [
  ["a plain alarm", { Period: 60, EvaluationPeriods: 3 }, { period: 60, breaches: 3 }],
  ["2 of 5 periods", { Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 2 }, { period: 60, breaches: 2 }],
  [
    "metric math",
    {
      EvaluationPeriods: 1,
      Metrics: [
        { Id: "sum", Expression: "a + b", Period: 60 },
        { Id: "a", MetricStat: { Metric: {}, Period: 300, Stat: "Sum" } },
      ],
    },
    { period: 300, breaches: 1 },
  ],
  ["an alarm without a period", { EvaluationPeriods: 1 }, undefined],
];
test.each(paces)("the pace of %s is its longest period and the breaches it takes", async (_what, alarm, pace) => {
  const source = new FakeAlarms();
  source.metric.push({ ...alarm, AlarmName: "a", StateValue: "OK" });
  expect((await readAlarms(source, ["a"], never)).get("a")?.pace).toEqual(pace);
});

test.each([
  ["OK", "EVALUATION_ERROR", "INSUFFICIENT_DATA"],
  ["OK", "EVALUATION_FAILURE", "INSUFFICIENT_DATA"],
  ["OK", "PARTIAL_DATA", "OK"],
  ["ALARM", "EVALUATION_FAILURE", "ALARM"],
] as const)("%s with the evaluation state %s is taken for %s", async (StateValue, EvaluationState, state) => {
  const source = new FakeAlarms();
  source.metric.push({ AlarmName: "a", StateValue, EvaluationState });
  expect((await readAlarms(source, ["a"], never)).get("a")?.state).toBe(state);
});

test("the SDK's own client serves, and its error comes through", async () => {
  const client = new CloudWatchClient({ region: "eu-central-1" });
  mockClient(client)
    .on(DescribeAlarmsCommand)
    .rejects(Object.assign(new Error("Rate exceeded"), { name: "Throttling" }));
  await expect(snapshotAlarms({ client, region: "eu-central-1" }, ["a"], never)).rejects.toThrow("Rate exceeded");
});
