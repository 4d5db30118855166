import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { stringify } from "yaml";
import { FakeAws } from "../bed/aws/fake-aws";
import { putAlarm } from "../support/alarms";
import { httpServer, inTurn, type Running, stopServers } from "../support/servers";
import { Caller, type Ran } from "./act";
import { patchedAct } from "./patched-act";

// AWS's credentials are in no step's environment but by the role that the job assumes.
jest.setTimeout(120_000);
const REGION = "eu-west-1";
const role = { "role-to-assume": "arn:aws:iam::123456789012:role/verify", "aws-region": REGION };
let aws: FakeAws;
let app: Running;
let caller: Caller;

beforeAll(patchedAct, 600_000);
beforeAll(async () => {
  aws = await FakeAws.start({ hosts: [] });
}, 120_000);
beforeEach(async () => {
  caller = new Caller();
  app = await httpServer(inTurn(200));
});
afterEach(async () => {
  caller.end();
  aws.forget();
  await stopServers();
});
afterAll(() => aws?.end(), 30_000);

const alarm = (name: string, state: "OK" | "ALARM") =>
  putAlarm(new CloudWatchClient({ ...aws.moto, region: REGION }), name, state);

function verifies(given: object): Promise<Ran> {
  const uses = "org/hello-devops/.github/workflows/verify.yml@v1";
  const job = { uses, with: { url: `http://${app.place}/`, timeout: "1s", interval: "500ms", ...given } };
  caller.write(".github/workflows/caller.yml", stringify({ name: "Caller", on: "push", jobs: { it: job } }));
  caller.commit();
  const env = { AWS_ENDPOINT_URL: aws.client.endpoint, AWS_EC2_METADATA_DISABLED: "true" };
  return caller.run({ workflow: "caller.yml", env });
}

test("verify.yml asks a URL alone with no role, and AWS for nothing", async () => {
  const ran = await verifies({});
  expect(ran.jobs).toEqual({ "it/Verify/Verify": "success" });
  expect(ran.log).toContain("set-output:: status=healthy");
  expect(aws.calls).toEqual([]);
});

test("verify.yml hands its instances on, by id or by filter", async () => {
  const none = await verifies({ "instance-ids": "i-0123456789abcdef0", ...role });
  expect(none.log).toContain("instance-ids: The instance ID 'i-0123456789abcdef0' does not exist in eu-west-1.");
  const nobody = await verifies({ "ec2-filters": "tag:Name=nobody", ...role });
  expect(nobody.log).toContain("no running instance in the region eu-west-1 matches tag:Name=nobody");
});

test("verify.yml asks AWS, too, by the role that it assumes, in aws-region", async () => {
  await alarm("shop-5xx", "OK");
  await alarm("db-cpu", "ALARM");
  const good = await verifies({ alarms: "shop-*", ...role });
  expect(good.jobs).toEqual({ "it/Verify/Verify": "success" });
  const bad = await verifies({ alarms: "shop-*\ndb-cpu", metrics: "SUM(Shop Orders) > 0", ...role });
  expect(bad.jobs).toEqual({ "it/Verify/Verify": "failure" });
  const checks = [
    'alarm "shop-5xx": healthy',
    'alarm "db-cpu": unhealthy',
    "metric SUM(Shop Orders) > 0: inconclusive",
  ];
  for (const check of checks) expect(bad.log).toContain(check);
  expect(new Set(aws.calls.map(({ region }) => region))).toEqual(new Set([REGION]));
});
