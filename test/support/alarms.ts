import {
  type CloudWatchClient,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";

/** An alarm in this state. moto never evaluates one. */
export async function putAlarm(cloudWatch: CloudWatchClient, AlarmName: string, state: StateValue): Promise<void> {
  const metric = { Namespace: "Shop", MetricName: "Errors", Statistic: "Sum", Period: 60 } as const;
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
