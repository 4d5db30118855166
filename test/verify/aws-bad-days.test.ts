import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { type AwsError, errorAnswer, jsonAnswer } from "../bed/aws/protocol";
import { AwsVerification, ofAws } from "../support/aws-verification";
import { defaultsOf, type Inputs, runVariables, Step } from "../support/runner";

jest.setTimeout(60_000); // an alarm is asked every 10 s at most

let scene: AwsVerification;

beforeAll(async () => {
  scene = await AwsVerification.begin();
}, 120_000);
afterEach(() => scene.forget());
afterAll(() => scene?.end(), 30_000);

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
    const { code, log, outputs } = await scene.step(inputs);
    expect([code, scene.requests, outputs]).toEqual([1, [], {}]);
    expect(log).toContain(`::error::${sentence}`);
  },
);

test("more alarms than are watched is an error that says how many", async () => {
  const many = Array.from({ length: 101 }, (_, index) => ({ AlarmName: `many-${index}`, StateValue: "OK" }));
  scene.aws.play("cloudwatch:DescribeAlarms", async (call) => jsonAnswer(call, { MetricAlarms: many }));
  const { code, log } = await scene.step({ alarms: "many-*" });
  expect([code, scene.requests]).toEqual([1, []]);
  expect(log).toContain("::error::alarms: it means 101 alarms; at most 100 are watched. Name less, in several steps.");
});

test("a call that AWS throttles is made again", async () => {
  await scene.alarm("throttled");
  scene.aws.fail("cloudwatch:DescribeAlarms", { code: "ThrottlingException", times: 2 });
  const ended = await scene.step({ alarms: "throttled" });
  expect([ended.code, scene.calls("cloudwatch:DescribeAlarms")]).toEqual([0, 4]);
});

/** The first call finds the alarms; of the second, the first look, this comes. */
function firstLook(comes: AwsError | "silence"): void {
  let calls = 0;
  scene.aws.play("cloudwatch:DescribeAlarms", async (call, moto) => {
    calls += 1;
    if (calls !== 2) return moto();
    return comes === "silence" ? new Promise(() => {}) : errorAnswer(call, comes);
  });
}

test("a read that fails is inconclusive, says why, and is made again in time", async () => {
  await scene.alarm("unread");
  const denied = { code: "AccessDeniedException", message: "not authorized" };
  firstLook(denied);
  const patient = await scene.step({ alarms: "unread", timeout: "15s" });
  expect([patient.code, ofAws(patient)[0]?.seen]).toEqual([0, { "not read": 1, OK: 1 }]);
  firstLook(denied);
  const { outputs } = await scene.step({ alarms: "unread" });
  expect(outputs.status).toBe("inconclusive");
  expect(outputs.reason).toContain(
    "last seen: it could not be read: cloudwatch:DescribeAlarms: AWS does not allow cloudwatch:DescribeAlarms",
  );
});

test("AWS's silence ends with timeout, and is inconclusive", async () => {
  await scene.alarm("hangs");
  firstLook("silence");
  const ended = await scene.step({ alarms: "hangs" });
  expect([ended.code, ofAws(ended)[0]]).toMatchObject([
    1,
    { status: "inconclusive", "last-seen": "no answer within 1 s" },
  ]);
});

test("a job that is cancelled while AWS is asked what is meant ends at once, red and inconclusive", async () => {
  const reached = new Promise<void>((resolve) => {
    scene.aws.play("cloudwatch:DescribeAlarms", () => {
      resolve();
      return new Promise(() => {});
    });
  });
  const running = scene.start({ alarms: "never", fail: "false" });
  await reached;
  running.kill("SIGTERM");
  const { code, outputs, log } = await running.ended;
  expect([code, outputs.status, scene.requests]).toEqual([1, "inconclusive", []]);
  expect(log).toMatch(/^::error title=Cancelled/m);
});

test.each([
  ["alarms", { alarms: "any" }],
  ["metrics", { metrics: "SUM(Shop Orders) > 2" }],
  ["instance-ids", { "instance-ids": "i-0123456789abcdef0" }],
])("%s without credentials is an error that says where they come from", async (_, inputs) => {
  const {
    AWS_ACCESS_KEY_ID: _id,
    AWS_SECRET_ACCESS_KEY: _secret,
    AWS_SESSION_TOKEN: _token,
    ...nobody
  } = scene.aws.env;
  const { code, log } = await scene.step(inputs, nobody);
  expect([code, scene.requests]).toEqual([1, []]);
  expect(log).toMatch(/::error::AWS: this job has no AWS credentials .*aws-actions\/configure-aws-credentials/);
});

test("asks aws-region before the environment's region", async () => {
  await scene.alarm("of-virginia");
  const elsewhere = await scene.step({ alarms: "of-virginia", "aws-region": "eu-west-1" });
  expect(elsewhere.log).toContain('there is no alarm "of-virginia" in eu-west-1');
  const home = await scene.step(
    { alarms: "of-virginia", "aws-region": "us-east-1" },
    { ...scene.aws.env, AWS_REGION: "eu-west-1" },
  );
  expect(home.code).toBe(0);
});

test("AWS's clients are not read when nothing is asked of AWS", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hello-devops-bundle-"));
  const dist = join(__dirname, "../../dist");
  cpSync(join(dist, "verify-health"), folder, { recursive: true });
  for (const chunk of readdirSync(folder).filter((file) => /^\d+\.index\.js$/.test(file))) rmSync(join(folder, chunk));
  const without = (inputs: Inputs) => {
    const given = { ...defaultsOf("verify-health"), url: scene.url, ...inputs };
    const env = Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
    return new Step(relative(dist, folder), { ...runVariables(), ...scene.aws.env, ...Object.fromEntries(env) }).ended;
  };
  expect((await without({})).code).toBe(0);
  expect((await without({ alarms: "any" })).log).toMatch(/Cannot find module/);
  rmSync(folder, { recursive: true });
});
