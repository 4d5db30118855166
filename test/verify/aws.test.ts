import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { jsonAnswer } from "../bed/aws/protocol";
import { AwsVerification, ofAws } from "../support/aws-verification";

jest.setTimeout(60_000); // an alarm is asked every 10 s at most

let scene: AwsVerification;

beforeAll(async () => {
  scene = await AwsVerification.begin();
}, 120_000);
afterEach(() => scene.forget());
afterAll(() => scene?.end(), 30_000);

const measure = (MetricName: string, Value: number) =>
  scene.cloudWatch.send(new PutMetricDataCommand({ Namespace: "Shop", MetricData: [{ MetricName, Value }] }));

test("alarms that are OK, by name and prefix, are checks of their own beside the URL, and one call reads them", async () => {
  for (const name of ["shop-5xx", "db, main", "db-cpu", "other"]) await scene.alarm(name);
  const ended = await scene.step({ alarms: "shop-5xx\ndb*" });
  expect([ended.code, ended.outputs.status, ended.outputs.reason]).toEqual([0, "healthy", ""]);
  expect(ofAws(ended).map(({ name, status }) => [name, status])).toEqual([
    ['alarm "shop-5xx"', "healthy"],
    ['alarm "db, main"', "healthy"],
    ['alarm "db-cpu"', "healthy"],
  ]);
  expect(scene.calls("cloudwatch:DescribeAlarms")).toBe(3); // the name, the prefix, and one look
  expect(ended.outputs["latency-p95"]).toBe(String(JSON.parse(ended.outputs.results ?? "")[0]["latency-p95"]));
  expect(ended.summary).toContain("OK × 1");
  expect(ended.log).toContain('alarm "shop-5xx": expects the state OK');
});

test("an alarm that is red and then OK within timeout is healthy", async () => {
  await scene.alarm("recovers", "ALARM");
  const running = scene.start({ alarms: "recovers", timeout: "15s" });
  await running.says(/alarm "recovers": wrong: ALARM: Threshold Crossed: 7 > 5/);
  await scene.turn("recovers", "OK");
  const ended = await running.ended;
  expect([ended.code, ofAws(ended)[0]?.seen]).toEqual([0, { ALARM: 1, OK: 1 }]);
});

test("an alarm that is red to the end makes the step red, and says why in one annotation", async () => {
  await scene.alarm("red", "ALARM");
  const { code, outputs, log } = await scene.step({ alarms: "red" });
  expect([code, outputs.status]).toEqual([1, "unhealthy"]);
  expect(outputs.reason).toBe(
    'alarm "red": it did not become healthy within 1 s; last seen: ALARM: Threshold Crossed: 7 > 5.',
  );
  expect(log.match(/^::error .*/gm)).toEqual([
    expect.stringMatching(/^::error title=Not healthy%3A 1 of 2 checks::.*Look at the alarm in CloudWatch/),
  ]);
});

test("an alarm without data is inconclusive, for nothing is known", async () => {
  await scene.alarm("silent", "INSUFFICIENT_DATA");
  const ended = await scene.step({ alarms: "silent" });
  expect([ended.code, ended.outputs.status]).toEqual([1, "inconclusive"]);
  expect(ofAws(ended)[0]?.seen).toEqual({ INSUFFICIENT_DATA: 1 });
});

test("an alarm that goes red in hold ends it, whatever threshold and max-failures are", async () => {
  await scene.alarm("held");
  const inputs = { interval: "1s", threshold: "2", hold: "15s", "max-failures": "3" };
  const running = scene.start({ alarms: "held", timeout: "3s", ...inputs });
  await running.says(/^alarm "held": OK$/m);
  await scene.turn("held", "ALARM");
  const ended = await running.ended;
  expect(ofAws(ended)[0]).toMatchObject({ status: "unhealthy", seen: { OK: 1, ALARM: 1 } });
  expect(ended.outputs.reason).toMatch(/^alarm "held": it did not stay healthy; last seen: ALARM/);
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html; moto has none
test("a composite alarm is judged as any other", async () => {
  scene.aws.play("cloudwatch:DescribeAlarms", async (call) => {
    const { AlarmTypes } = call.parameters as { readonly AlarmTypes?: readonly string[] };
    const composite = { AlarmName: "all", StateValue: "ALARM", StateReason: "a child is in ALARM", AlarmRule: "..." };
    return jsonAnswer(call, { CompositeAlarms: AlarmTypes?.includes("CompositeAlarm") ? [composite] : [] });
  });
  const ended = await scene.step({ alarms: "all" });
  expect(ofAws(ended)[0]).toMatchObject({ status: "unhealthy", "last-seen": "ALARM: a child is in ALARM" });
});

test("a metric's comparison holds, does not hold, or has no data", async () => {
  await measure("Orders", 3);
  const holds = "SUM(Shop Orders) > 2";
  const rules = [holds, "MAX(Shop Orders, 10m) < 3", "AVG(Shop Basket) > 0"];
  const ended = await scene.step({ metrics: rules.join("\n") });
  expect(ofAws(ended).map(({ status, seen, ...of }) => [status, seen, of["last-seen"]])).toEqual([
    ["healthy", { holds: 1 }, "it is 3"],
    ["unhealthy", { "does not hold": 1 }, "it is 3"],
    ["inconclusive", { "no data": 1 }, "no data point in 5 minutes of Shop Basket, dimensions none"],
  ]);
  expect([ended.code, ended.outputs.status]).toEqual([1, "unhealthy"]);
  expect((await scene.step({ metrics: holds })).code).toBe(0);
  expect(scene.calls("cloudwatch:GetMetricData")).toBe(3); // one for each window, then one
});

test("the instances that ec2-filters find are checks, and each fills a metric's missing instance", async () => {
  const web = await scene.aws.launchOthers(2, { name: "shop-web" });
  await scene.aws.launchOthers(1, { name: "shop-web", state: "stopped" });
  const ids = web.map(({ id }) => id).sort();
  const ended = await scene.step({ "ec2-filters": "tag:Name=shop-web", metrics: "AVG(CPUUtilization, 10m) < 80" });
  expect(ofAws(ended).map(({ name, status }) => [name, status])).toEqual([
    ...ids.map((id) => [`metric AVG(CPUUtilization InstanceId=${id}, 10m) < 80`, "inconclusive"]),
    ...ids.map((id) => [`instance ${id}`, "healthy"]),
  ]);
  expect([scene.calls("cloudwatch:GetMetricData"), scene.calls("ec2:DescribeInstanceStatus")]).toEqual([1, 1]);
});

test("an instance of instance-ids that is stopped is unhealthy", async () => {
  const [stopped, running] = [await scene.aws.launchOthers(1, { state: "stopped" }), await scene.aws.launchOthers(1)];
  const ended = await scene.step({ "instance-ids": [stopped, running].map(([one]) => one?.id).join() });
  expect(ofAws(ended).map(({ status, seen }) => [status, seen])).toEqual([
    ["unhealthy", { stopped: 1 }],
    ["healthy", { running: 1 }],
  ]);
});

// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html; to moto all is well always
test.each([
  ["instance", "impaired", "unhealthy"],
  ["EBS", "impaired", "unhealthy"],
  ["instance", "initializing", "inconclusive"],
])("an instance of which the %s check is %s is %s", async (check, result, status) => {
  const [{ id = "" } = {}] = await scene.aws.launchOthers(1);
  const results = { instance: "ok", EBS: "ok", [check]: result };
  scene.aws.play("ec2:DescribeInstanceStatus", async (_call, moto) => {
    const answer = await moto();
    const body = answer.body
      .replace(/(<instanceStatus>.*?<status>)ok/, `$1${results.instance}`)
      .replace(
        "</item></instanceStatusSet>",
        `<attachedEbsStatus><status>${results.EBS}</status></attachedEbsStatus>$&`,
      );
    return { ...answer, body };
  });
  const ended = await scene.step({ "instance-ids": id });
  expect(ofAws(ended)[0]).toMatchObject({
    status,
    seen: { [result]: 1 },
    "last-seen": `running; status checks: system ok, instance ${results.instance}, EBS ${results.EBS}`,
  });
});

test("the policy in docs/verify-health.md allows what was asked for in these tests, and no more", () => {
  const page = readFileSync(join(__dirname, "../../docs/verify-health.md"), "utf8");
  const policy = JSON.parse(/```json policy\n([\s\S]*?)```/.exec(page)?.[1] ?? "") as {
    Statement: { Action: string | string[] }[];
  };
  expect(policy.Statement.flatMap(({ Action }) => Action).sort()).toEqual([...scene.asked].sort());
});
