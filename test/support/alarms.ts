import {
  type CloudWatchClient,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";

/** An alarm in this state, of one period of so many seconds. moto never evaluates one. */
export async function putAlarm(
  cloudWatch: CloudWatchClient,
  AlarmName: string,
  state: StateValue,
  Period = 60,
): Promise<void> {
  const metric = { Namespace: "Shop", MetricName: "Errors", Statistic: "Sum", Period } as const;
  const rule = { EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: "GreaterThanThreshold" } as const;
  await cloudWatch.send(new PutMetricAlarmCommand({ AlarmName, ...metric, ...rule }));
  await turnAlarm(cloudWatch, AlarmName, state);
}

export async function turnAlarm(
  cloudWatch: CloudWatchClient,
  AlarmName: string,
  StateValue: StateValue,
): Promise<void> {
  const StateReason = "Threshold Crossed: 7 > 5.";
  await cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason }));
}
