// From a metric over its threshold to what a person gets: alarm, topic, subscriber, with AWS played by ministack. It stays unproved
// here: 3 of 5 minutes, dimensions (agent.test.ts compares them), the topic's key and policy (observability.tftest.hcl reads them),
// and the mail, whose layout is AWS's own: it has the alarm's name and description, the value, the threshold and the time of below.
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, expect, jest } from "@jest/globals";
import { Ministack } from "./ministack";
import { Subscriber } from "./subscriber";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";
import { Workspace } from "./workspace";

jest.setTimeout(600_000);

const ENOUGH = 30_000;
let aws: Ministack;
let subscriber: Subscriber;
let workspace: Workspace;
let instance: string;

beforeAll(async () => {
  if (missing !== "") return;
  [aws, subscriber] = await Promise.all([Ministack.start(), Subscriber.start()]);
  workspace = new Workspace("terraform", { aws: aws.endpoint, state: "local" });
  workspace.set({ name: "shop", alert_email: "ops@example.com" });
  workspace.write("topic.tf", 'output "topic" {\n  value = aws_sns_topic.alerts.arn\n}\n');
  await workspace.init();
  const wanted = ["cloudwatch_metric_alarm.usage", "cloudwatch_metric_alarm.status", "sns_topic.alerts"];
  await workspace.apply(...wanted.map((address) => `-target=aws_${address}`));
  const { instance_id = "", topic = "" } = await workspace.outputs();
  instance = instance_id;
  await subscriber.subscribe(aws.endpoint, topic);
});

afterAll(async () => {
  workspace?.end();
  subscriber?.end();
  await aws?.stop();
});

/** As the agent sends them. */
async function measure(name: string, ...values: readonly number[]): Promise<void> {
  const credentials = { accessKeyId: "AKIATESTONLY", secretAccessKey: "a-secret-of-the-tests" };
  const client = new CloudWatchClient({ region: "us-east-1", endpoint: aws.endpoint, credentials });
  const Dimensions = [{ Name: "InstanceId", Value: instance }];
  const MetricData = values.map((Value) => ({ MetricName: name, Dimensions, Value, Unit: "Percent" as const }));
  await client.send(new PutMetricDataCommand({ Namespace: "HelloDevOps/EC2", MetricData }));
  client.destroy();
}

withTerraform(
  titled("memory over 80 % tells name, value, threshold, time and what to do; and then that it is over"),
  async () => {
    const before = Date.now();
    await measure("mem_used_percent", 93.5);
    const began = await subscriber.next(ENOUGH);
    const message = JSON.parse(began.Message);
    expect(began.Subject).toBe('ALARM: "shop-memory" in us-east-1');
    expect(message).toMatchObject({
      AlarmName: "shop-memory",
      NewStateValue: "ALARM",
      NewStateReason: expect.stringMatching(/93\.5.*80/),
      Trigger: { MetricName: "mem_used_percent", Namespace: "HelloDevOps/EC2", Threshold: 80 },
    });
    expect(Math.abs(Date.parse(message.StateChangeTime) - before)).toBeLessThan(60_000);
    expect(message.AlarmDescription.split("\n")).toEqual([
      expect.stringMatching(/^The host shop in us-east-1\. More than 80 % of its memory is in use/),
      expect.stringMatching(/^Look at https:\/\/us-east-1\.console\.aws\.amazon\.com\/cloudwatch\/.*\/shop$/),
      ...[1, 2, 3].map((number) => expect.stringMatching(`^${number}\\. \\w`)),
    ]);

    await measure("mem_used_percent", 10, 10, 10);
    const ended = await subscriber.next(ENOUGH);
    expect(ended.Subject).toBe('OK: "shop-memory" in us-east-1');
    expect(JSON.parse(ended.Message)).toMatchObject({ AlarmName: "shop-memory", OldStateValue: "ALARM" });
  },
);
