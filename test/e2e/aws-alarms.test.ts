import { CloudWatchClient, type StateValue } from "@aws-sdk/client-cloudwatch";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { resetHost } from "../bed/hosts";
import { putAlarm, turnAlarm } from "../support/alarms";
import { myHost, theBed } from "../support/bed";
import { lookAt } from "../support/outside";
import { actionsOf } from "../support/policy";
import { Quick } from "../support/quick";
import { basicInputs, type Ended, type Inputs, startStep } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const asked = new Set<string>();
let aws: FakeAws;
let cloudWatch: CloudWatchClient;

beforeAll(async () => {
  await resetHost(host);
  aws = await FakeAws.start({ hosts: [host] });
  cloudWatch = new CloudWatchClient(aws.moto);
  await quick.deployed("echo1");
}, 120_000);
afterEach(() => {
  for (const action of aws.iamActions) asked.add(action);
  aws.forget();
});
afterAll(async () => {
  await aws?.end();
  await resetHost(host);
}, 60_000);

/** An alarm that speaks after one period of 10 s: a bake of 30 s is long enough for it. */
const alarm = (name: string, state: StateValue) => putAlarm(cloudWatch, name, state, 10);
const set = (name: string, state: StateValue) => turnAlarm(cloudWatch, name, state);

/** A deploy that goes back, or does not begin: what was live before is live after. */
async function stopped(inputs: Inputs, inTheBake?: () => Promise<unknown>): Promise<Ended> {
  const before = await lookAt(host);
  const step = quick.start("echo2", inputs, aws.env);
  if (inTheBake) await step.reaches("bake").then(inTheBake);
  const ended = await step.ended;
  expect(ended.code).toBe(1);
  expect(ended.outputs["failed-gate"]).toBe("alarms");
  expect(await lookAt(host)).toEqual(before);
  return ended;
}

test("an alarm that goes red in the bake puts the release back at once, with AWS's reason", async () => {
  await alarm("shop-5xx", "OK");
  const ended = await stopped({ alarms: "shop-5xx", "bake-time": "10m" }, () => set("shop-5xx", "ALARM"));
  expect(ended.outputs).toMatchObject({
    status: "rolled-back",
    reason: 'Alarm "shop-5xx" went into ALARM: Threshold Crossed: 7 > 5. echo1 still serves.',
  });
  expect(ended.summary).toMatch(/alarms.*unhealthy.*no new alarm/s);
}, 60_000);

test("an alarm that has no data at the end of the bake is no proof: the release goes back", async () => {
  await alarm("shop-quiet", "OK");
  const ended = await stopped({ alarms: "shop-quiet" }, () => set("shop-quiet", "INSUFFICIENT_DATA"));
  expect(ended.outputs.reason).toMatch(/^Alarm "shop-quiet" has no data any more, it was OK before/);
}, 90_000);

test("an alarm that goes red while the app's own URLs are asked puts the release back, too", async () => {
  await alarm("shop-late", "OK");
  const before = await lookAt(host);
  const never = { "verify-url": `${host.url}/health`, "verify-body": "never said", "verify-timeout": "2m" };
  const inputs = { ...basicInputs(bed, host, "echo2"), alarms: "shop-late", ...never };
  const step = startStep("deploy-and-verify", inputs, aws.env);
  await step.reaches("verify");
  await set("shop-late", "ALARM");
  const ended = await step.ended;
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "alarms" });
  expect(await lookAt(host)).toEqual(before);
}, 90_000);

test("an alarm that does not exist stops the deploy before anything, and its like are named", async () => {
  await alarm("shop-cpu", "OK");
  const ended = await stopped({ alarms: "shop-cpu, shop-cpi" });
  expect(ended.outputs).toMatchObject({ status: "failed" });
  expect(ended.outputs.reason).toMatch(/^alarms: there is no alarm "shop-cpi" in us-east-1\. There are .*"shop-cpu"/);
  expect(ended.log).not.toContain("::group::pull");
}, 30_000);

test("a deploy that AWS does not let look at the alarms does not begin", async () => {
  aws.fail("cloudwatch:DescribeAlarms", { code: "AccessDenied", status: 403 });
  const ended = await stopped({ alarms: "shop-cpu" });
  expect(ended.outputs.reason).toContain("AWS does not allow cloudwatch:DescribeAlarms to this job's role");
}, 30_000);

test("alarms by prefix lengthen the bake until they can speak, and one that is red already does not count", async () => {
  await alarm("edge-5xx", "OK");
  await alarm("edge-disk", "ALARM");
  const plan = await quick.deploy("echo2", { alarms: "edge-*", "dry-run": "true" }, aws.env);
  expect(plan.log).toContain("Would shift all traffic and watch it for 30 s");
  expect(plan.log).toContain("Would go back at a new alarm of edge-5xx, edge-disk");
  const ended = await quick.deployed("echo2", { alarms: "edge-*" }, aws.env);
  expect(ended.log).toContain(
    'Alarms: edge-5xx, edge-disk. The bake lasts at least 30 s: alarm "edge-5xx" needs 1 of its 10 s periods to speak.',
  );
  expect(ended.log).toContain(
    '::warning::Alarm "edge-disk" is in ALARM already, and does not count: Threshold Crossed: 7 > 5.',
  );
  expect(ended.log).toContain(
    'alarms: Alarm "edge-5xx" is OK. Alarm "edge-disk" was in ALARM before, and does not count.',
  );
}, 90_000);

test("the policy of alarms in docs/access.md allows what was asked, and no more", () => {
  expect([...asked].sort()).toEqual(actionsOf("docs/access.md", "policy-of-alarms"));
});
