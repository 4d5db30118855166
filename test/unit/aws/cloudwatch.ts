// CloudWatch's alarms, as far as DescribeAlarms shows them: by name or prefix, in pages, and with its limits.
import type { CompositeAlarm, DescribeAlarmsCommand, MetricAlarm } from "@aws-sdk/client-cloudwatch";
import type { AlarmSource } from "../../../src/aws/alarms";

const PAGE = 2;

export class FakeAlarms implements AlarmSource {
  readonly region = "eu-central-1";
  readonly metric: MetricAlarm[] = [];
  readonly composite: CompositeAlarm[] = [];
  calls = 0;

  readonly client = {
    send: async ({ input }: DescribeAlarmsCommand) => {
      this.calls += 1;
      const { AlarmNames, AlarmNamePrefix, AlarmTypes = ["MetricAlarm"], NextToken } = input;
      if (AlarmNames && AlarmNames.length > 100) throw new Error("ValidationError: at most 100 names");
      const fits = ({ AlarmName = "" }: MetricAlarm) =>
        AlarmNames ? AlarmNames.includes(AlarmName) : AlarmName.startsWith(AlarmNamePrefix ?? "");
      const all = [
        ...(AlarmTypes.includes("MetricAlarm") ? this.metric.filter(fits).map((alarm) => ({ metric: alarm })) : []),
        ...(AlarmTypes.includes("CompositeAlarm")
          ? this.composite.filter(fits).map((alarm) => ({ composite: alarm }))
          : []),
      ];
      const from = Number(NextToken ?? 0);
      const page = all.slice(from, from + PAGE);
      return {
        $metadata: {},
        MetricAlarms: page.flatMap((one) => ("metric" in one ? [one.metric] : [])),
        CompositeAlarms: page.flatMap((one) => ("composite" in one ? [one.composite] : [])),
        ...(from + PAGE < all.length ? { NextToken: String(from + PAGE) } : {}),
      };
    },
  };
}
