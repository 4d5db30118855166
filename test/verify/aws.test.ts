import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { type AwsError, errorAnswer, jsonAnswer } from "../bed/aws/protocol";
import { defaultsOf, type Ended, type Inputs, runVariables, Step, startStep } from "../support/runner";
import { httpServer, inTurn, type Running, stopServers } from "../support/servers";

jest.setTimeout(60_000); // an alarm is asked every 10 s at most

let aws: FakeAws;
let cloudWatch: CloudWatchClient;
let app: Running;
const asked = new Set<string>();

beforeAll(async () => {
  aws = await FakeAws.start({ hosts: [] });
  cloudWatch = new CloudWatchClient(aws.moto);
}, 120_000);
beforeEach(async () => {
  app = await httpServer(inTurn(200));
});
afterEach(async () => {
  for (const action of aws.iamActions) asked.add(action);
  aws.forget();
  await stopServers();
});
afterAll(() => aws?.end(), 30_000);

const start = (inputs: Inputs, env: Inputs = aws.env): Step =>
  startStep("verify-health", { url: `http://${app.place}/`, timeout: "1s", interval: "500ms", ...inputs }, env);
const step = (inputs: Inputs, env?: Inputs): Promise<Ended> => start(inputs, env).ended;

interface Result {
  readonly name: string;
  readonly url: string;
  readonly status: string;
  readonly seen: Readonly<Record<string, number>>;
  readonly "last-seen": string;
}

const resultsOf = ({ outputs }: Ended): Result[] => JSON.parse(outputs.results ?? "[]");
/** What AWS was asked about; the URL is the first check, and healthy. */
const ofAws = (ended: Ended) => {
  const [url, ...others] = resultsOf(ended);
  expect(url).toMatchObject({ url: `http://${app.place}/`, status: "healthy" });
  return others;
};
const verdicts = (ended: Ended) => ofAws(ended).map(({ name, status }) => [name, status]);

async function alarm(AlarmName: string, state: StateValue = "OK"): Promise<void> {
  const metric = { Namespace: "Shop", MetricName: "Errors", Statistic: "Sum", Period: 60 } as const;
  const rule = { EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: "GreaterThanThreshold" } as const;
  await cloudWatch.send(new PutMetricAlarmCommand({ AlarmName, ...metric, ...rule }));
  await turn(AlarmName, state);
}

const turn = (AlarmName: string, StateValue: StateValue) =>
  cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "Threshold Crossed: 7 > 5." }));

const measure = (MetricName: string, Value: number, Dimensions: { Name: string; Value: string }[] = []) =>
  cloudWatch.send(new PutMetricDataCommand({ Namespace: "Shop", MetricData: [{ MetricName, Value, Dimensions }] }));

const calls = (action: string): number => aws.calls.filter((call) => call.action === action).length;

test("alarms that are OK, by name and prefix, are checks of their own beside the URL, and one call reads them", async () => {
  for (const name of ["shop-5xx", "db, main", "db-cpu", "other"]) await alarm(name);
  const ended = await step({ alarms: "shop-5xx\ndb*" });
  expect([ended.code, ended.outputs.status, ended.outputs.reason]).toEqual([0, "healthy", ""]);
  expect(verdicts(ended)).toEqual([
    ['alarm "shop-5xx"', "healthy"],
    ['alarm "db, main"', "healthy"],
    ['alarm "db-cpu"', "healthy"],
  ]);
  expect(calls("cloudwatch:DescribeAlarms")).toBe(3); // the name, the prefix, and one look
  expect(ended.outputs["latency-p95"]).toBe(String(JSON.parse(ended.outputs.results ?? "")[0]["latency-p95"]));
  expect(ended.summary).toContain("OK × 1");
  expect(ended.log).toContain('alarm "shop-5xx": expects the state OK');
});

test("an alarm that is red and then OK within timeout is healthy", async () => {
  await alarm("recovers", "ALARM");
  const running = start({ alarms: "recovers", timeout: "15s" });
  await running.says(/alarm "recovers": wrong: ALARM: Threshold Crossed: 7 > 5/);
  await turn("recovers", "OK");
  const ended = await running.ended;
  expect([ended.code, ofAws(ended)[0]?.seen]).toEqual([0, { ALARM: 1, OK: 1 }]);
});

test("an alarm that is red to the end makes the step red, and says why in one annotation", async () => {
  await alarm("red", "ALARM");
  const { code, outputs, log } = await step({ alarms: "red" });
  expect([code, outputs.status]).toEqual([1, "unhealthy"]);
  expect(outputs.reason).toBe(
    'alarm "red": it did not become healthy within 1 s; last seen: ALARM: Threshold Crossed: 7 > 5.',
  );
  expect(log.match(/^::error .*/gm)).toEqual([
    expect.stringMatching(/^::error title=Not healthy%3A 1 of 2 checks::.*Look at the alarm in CloudWatch/),
  ]);
});

test("an alarm without data is inconclusive, for nothing is known", async () => {
  await alarm("silent", "INSUFFICIENT_DATA");
  const ended = await step({ alarms: "silent" });
  expect([ended.code, ended.outputs.status]).toEqual([1, "inconclusive"]);
  expect(ofAws(ended)[0]?.seen).toEqual({ INSUFFICIENT_DATA: 1 });
});

test("an alarm that goes red in hold ends it, whatever threshold and max-failures are", async () => {
  await alarm("held");
  const inputs = { interval: "1s", threshold: "2", hold: "15s", "max-failures": "3" };
  const running = start({ alarms: "held", timeout: "3s", ...inputs });
  await running.says(/^alarm "held": OK$/m);
  await turn("held", "ALARM");
  const ended = await running.ended;
  expect(ofAws(ended)[0]).toMatchObject({ status: "unhealthy", seen: { OK: 1, ALARM: 1 } });
  expect(ended.outputs.reason).toMatch(/^alarm "held": it did not stay healthy; last seen: ALARM/);
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html; moto has none
test("a composite alarm is judged as any other", async () => {
  aws.play("cloudwatch:DescribeAlarms", async (call) => {
    const { AlarmTypes } = call.parameters as { readonly AlarmTypes?: readonly string[] };
    const composite = { AlarmName: "all", StateValue: "ALARM", StateReason: "a child is in ALARM", AlarmRule: "..." };
    return jsonAnswer(call, { CompositeAlarms: AlarmTypes?.includes("CompositeAlarm") ? [composite] : [] });
  });
  const ended = await step({ alarms: "all" });
  expect(ofAws(ended)[0]).toMatchObject({ status: "unhealthy", "last-seen": "ALARM: a child is in ALARM" });
});

test("a metric's comparison holds, does not hold, or has no data", async () => {
  await measure("Orders", 3);
  const holds = "SUM(Shop Orders) > 2";
  const rules = [holds, "MAX(Shop Orders, 10m) < 3", "AVG(Shop Basket) > 0"];
  const ended = await step({ metrics: rules.join("\n") });
  expect(ofAws(ended).map(({ status, seen, ...of }) => [status, seen, of["last-seen"]])).toEqual([
    ["healthy", { holds: 1 }, "it is 3"],
    ["unhealthy", { "does not hold": 1 }, "it is 3"],
    ["inconclusive", { "no data": 1 }, "no data point in 5 minutes of Shop Basket, dimensions none"],
  ]);
  expect([ended.code, ended.outputs.status]).toEqual([1, "unhealthy"]);
  expect((await step({ metrics: holds })).code).toBe(0);
  expect(calls("cloudwatch:GetMetricData")).toBe(3); // one for each window, then one
});

test("the instances that ec2-filters find are checks, and each fills a metric's missing instance", async () => {
  const web = await aws.launchOthers(2, { name: "shop-web" });
  await aws.launchOthers(1, { name: "shop-web", state: "stopped" });
  const ids = web.map(({ id }) => id).sort();
  const ended = await step({ "ec2-filters": "tag:Name=shop-web", metrics: "AVG(CPUUtilization, 10m) < 80" });
  expect(verdicts(ended)).toEqual([
    ...ids.map((id) => [`metric AVG(CPUUtilization InstanceId=${id}, 10m) < 80`, "inconclusive"]),
    ...ids.map((id) => [`instance ${id}`, "healthy"]),
  ]);
  expect([calls("cloudwatch:GetMetricData"), calls("ec2:DescribeInstanceStatus")]).toEqual([1, 1]);
});

test("an instance of instance-ids that is stopped is unhealthy", async () => {
  const [stopped, running] = [await aws.launchOthers(1, { state: "stopped" }), await aws.launchOthers(1)];
  const ended = await step({ "instance-ids": [stopped, running].map(([one]) => one?.id).join() });
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
  const [{ id = "" } = {}] = await aws.launchOthers(1);
  const results = { instance: "ok", EBS: "ok", [check]: result };
  aws.play("ec2:DescribeInstanceStatus", async (_call, moto) => {
    const answer = await moto();
    const body = answer.body
      .replace(/(<instanceStatus>.*?<status>)ok/, `$1${results.instance}`)
      .replace(
        "</item></instanceStatusSet>",
        `<attachedEbsStatus><status>${results.EBS}</status></attachedEbsStatus>$&`,
      );
    return { ...answer, body };
  });
  const ended = await step({ "instance-ids": id });
  expect(ofAws(ended)[0]).toMatchObject({
    status,
    seen: { [result]: 1 },
    "last-seen": `running; status checks: system ok, instance ${results.instance}, EBS ${results.EBS}`,
  });
});

const nothing: readonly [what: string, inputs: Inputs, sentence: string][] = [
  ["an alarm", { alarms: "nobody" }, 'alarms: there is no alarm "nobody" in us-east-1.'],
  ["a prefix", { alarms: "nobody-*" }, 'alarms: no alarm\'s name begins with "nobody-" in us-east-1.'],
  [
    "an instance",
    { "instance-ids": "i-0123456789abcdef0" },
    "instance-ids: The instance ID 'i-0123456789abcdef0' does not exist",
  ],
  [
    "a filter",
    { "ec2-filters": "tag:Name=nobody" },
    "ec2-filters: no running instance in the region us-east-1 matches tag:Name=nobody",
  ],
];
test.each(nothing)(
  "%s that names nothing is an error before the app is asked for anything",
  async (_, inputs, sentence) => {
    const { code, log, outputs } = await step(inputs);
    expect([code, app.requests, outputs]).toEqual([1, [], {}]);
    expect(log).toContain(`::error::${sentence}`);
  },
);

test("more alarms than are watched is an error that says how many", async () => {
  const many = Array.from({ length: 101 }, (_, index) => ({ AlarmName: `many-${index}`, StateValue: "OK" }));
  aws.play("cloudwatch:DescribeAlarms", async (call) => jsonAnswer(call, { MetricAlarms: many }));
  const { code, log } = await step({ alarms: "many-*" });
  expect([code, app.requests]).toEqual([1, []]);
  expect(log).toContain("::error::alarms: it means 101 alarms; at most 100 are watched. Name less, in several steps.");
});

test("a call that AWS throttles is made again", async () => {
  await alarm("throttled");
  aws.fail("cloudwatch:DescribeAlarms", { code: "ThrottlingException", times: 2 });
  const ended = await step({ alarms: "throttled" });
  expect([ended.code, calls("cloudwatch:DescribeAlarms")]).toEqual([0, 4]);
});

/** The first call finds the alarms; of the second, the first look, this comes. */
function firstLook(comes: AwsError | "silence"): void {
  let calls = 0;
  aws.play("cloudwatch:DescribeAlarms", async (call, moto) => {
    calls += 1;
    if (calls !== 2) return moto();
    return comes === "silence" ? new Promise(() => {}) : errorAnswer(call, comes);
  });
}

test("a read that fails is inconclusive, says why, and is made again in time", async () => {
  await alarm("unread");
  const denied = { code: "AccessDeniedException", message: "not authorized" };
  firstLook(denied);
  const patient = await step({ alarms: "unread", timeout: "15s" });
  expect([patient.code, ofAws(patient)[0]?.seen]).toEqual([0, { "not read": 1, OK: 1 }]);
  firstLook(denied);
  const { outputs } = await step({ alarms: "unread" });
  expect(outputs.status).toBe("inconclusive");
  expect(outputs.reason).toContain(
    "last seen: it could not be read: cloudwatch:DescribeAlarms: AWS does not allow cloudwatch:DescribeAlarms",
  );
});

test("AWS's silence ends with timeout, and is inconclusive", async () => {
  await alarm("hangs");
  firstLook("silence");
  const ended = await step({ alarms: "hangs" });
  expect([ended.code, ofAws(ended)[0]]).toMatchObject([
    1,
    { status: "inconclusive", "last-seen": "no answer within 1 s" },
  ]);
});

test("a job that is cancelled while AWS is asked what is meant ends at once, red and inconclusive", async () => {
  const reached = new Promise<void>((resolve) => {
    aws.play("cloudwatch:DescribeAlarms", () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const running = start({ alarms: "never", fail: "false" });
  await reached;
  running.kill("SIGTERM");
  const { code, outputs, log } = await running.ended;
  expect([code, outputs.status, app.requests]).toEqual([1, "inconclusive", []]);
  expect(log).toMatch(/^::error title=Cancelled/m);
});

test.each([
  ["alarms", { alarms: "any" }],
  ["metrics", { metrics: "SUM(Shop Orders) > 2" }],
  ["instance-ids", { "instance-ids": "i-0123456789abcdef0" }],
])("%s without credentials is an error that says where they come from", async (_, inputs) => {
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, AWS_SESSION_TOKEN: _token, ...nobody } = aws.env;
  const { code, log } = await step(inputs, nobody);
  expect([code, app.requests]).toEqual([1, []]);
  expect(log).toMatch(/::error::AWS: this job has no AWS credentials .*aws-actions\/configure-aws-credentials/);
});

test("asks aws-region before the environment's region", async () => {
  await alarm("of-virginia");
  const elsewhere = await step({ alarms: "of-virginia", "aws-region": "eu-west-1" });
  expect(elsewhere.log).toContain('there is no alarm "of-virginia" in eu-west-1');
  const home = await step(
    { alarms: "of-virginia", "aws-region": "us-east-1" },
    { ...aws.env, AWS_REGION: "eu-west-1" },
  );
  expect(home.code).toBe(0);
});

test("AWS's clients are not read when nothing is asked of AWS", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-bundle-"));
  const dist = join(__dirname, "../../dist");
  cpSync(join(dist, "verify-health"), folder, { recursive: true });
  for (const chunk of readdirSync(folder).filter((file) => /^\d+\.index\.js$/.test(file))) rmSync(join(folder, chunk));
  const without = (inputs: Inputs) => {
    const given = { ...defaultsOf("verify-health"), url: `http://${app.place}/`, ...inputs };
    const env = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    return new Step(relative(dist, folder), { ...runVariables(), ...aws.env, ...Object.fromEntries(env) }).ended;
  };
  expect((await without({})).code).toBe(0);
  expect((await without({ alarms: "any" })).log).toMatch(/Cannot find module/);
  rmSync(folder, { recursive: true });
});

test("the policy in docs/verify-health.md allows what was asked for in these tests, and no more", () => {
  const page = readFileSync(join(__dirname, "../../docs/verify-health.md"), "utf8");
  const policy = JSON.parse(/```json policy\n([\s\S]*?)```/.exec(page)?.[1] ?? "") as {
    Statement: { Action: string | string[] }[];
  };
  expect(policy.Statement.flatMap(({ Action }) => Action).sort()).toEqual([...asked].sort());
});
