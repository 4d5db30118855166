import { DescribeSecurityGroupRulesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { stringify } from "yaml";
import { hostKeyOf } from "../bed/aws/console";
import { FakeAws } from "../bed/aws/fake-aws";
import { resetHost } from "../bed/hosts";
import { AddressServices } from "../support/address-services";
import { myHost, theBed } from "../support/bed";
import { judge } from "../support/judge";
import { Quick } from "../support/quick";
import { type Asked, Caller, type Ran, removeImages } from "./act";
import { imagesOf, writeApp, writeCaller } from "./callers";
import { patchedAct } from "./patched-act";

// The box takes no key but one that was just sent, and nobody on port 22 but by a rule of the group. AWS's credentials are in
// no step's environment but by the role that the job assumes.
jest.setTimeout(240_000);
const bed = theBed();
const host = myHost(bed);
let aws: FakeAws;
let services: AddressServices;
let group = "";
let caller: Caller;

beforeAll(patchedAct, 600_000);
beforeAll(async () => {
  await resetHost(host);
  aws = await FakeAws.start({ hosts: [host] });
  const here = await aws.sourceSeenBy(host);
  services = await AddressServices.start({ answers: { "checkip.amazonaws.com": here, "icanhazip.com": here } });
  group = await aws.securityGroup("door");
  const { id } = await aws.launch(host, { name: "web" });
  const Name = `/hello-devops/host-keys/${id}`;
  await new SSMClient(aws.moto).send(new PutParameterCommand({ Name, Value: await hostKeyOf(host), Type: "String" }));
}, 120_000);
beforeEach(() => {
  caller = new Caller();
});
afterEach(async () => {
  caller.end();
  aws.forget();
  await Promise.all([aws.openDoor(host), aws.keyed(host)]);
}, 30_000);
afterAll(async () => {
  await services?.end();
  await aws?.end();
  await resetHost(host);
  await removeImages(imagesOf(bed));
}, 60_000);

/** From here on the box lets in only whom AWS was asked for. */
const shut = () => Promise.all([aws.lockDoor(host, group), aws.keyless(host)]);

const rules = async () => {
  const Filters = [{ Name: "group-id", Values: [group] }];
  const { SecurityGroupRules = [] } = await new EC2Client(aws.moto).send(
    new DescribeSecurityGroupRulesCommand({ Filters }),
  );
  return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
};

const ROLE = "arn:aws:iam::123456789012:role/deploy";

/** Calls one of our workflows for the app "web", with what it is given and the role. */
function calls(workflow: "deploy" | "rollback", given: object, more: Partial<Asked> = {}, secrets = {}): Promise<Ran> {
  const uses = `org/hello-devops/.github/workflows/${workflow}.yml@v1`;
  const role = { "role-to-assume": ROLE, "aws-region": "us-east-1" };
  const job = { uses, with: { environment: "production", app: "web", "bake-time": "1s", ...role, ...given }, secrets };
  caller.write(".github/workflows/caller.yml", stringify({ name: "Caller", on: "push", jobs: { it: job } }));
  caller.commit();
  const env = { AWS_ENDPOINT_URL: aws.client.endpoint, AWS_EC2_METADATA_DISABLED: "true", ...services.env };
  return caller.run({ workflow: "caller.yml", env, ...more });
}

test("deploy.yml gets in by ec2-filters with nothing stored, through a door that is shut behind it", async () => {
  await shut();
  const { username, password } = bed.registry;
  const given = {
    "ec2-filters": "tag:Name=web",
    "ssh-security-group": group,
    image: bed.images.echo1?.digest,
    version: "echo1",
  };
  const login = {
    "registry-username": `\${{ secrets.REGISTRY_USERNAME }}`,
    "registry-password": `\${{ secrets.REGISTRY_PASSWORD }}`,
  };
  const secrets = { REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password };
  // SSH_HOST may be the repository's: what the caller names goes before it
  const ran = await calls("deploy", given, { secrets, vars: { SSH_HOST: "192.0.2.1" } }, login);
  expect(ran.jobs).toEqual({ "it/Deploy/Deploy to production": "success" });
  expect(await judge(host)).toMatchObject({ version: "echo1", wrong: [] });
  expect(await rules()).toEqual([]);
  expect(ran.log).not.toContain("Get a login for ECR"); // the image is elsewhere: the role was there to get in
});

test("rollback.yml gets in by its environment's EC2_FILTERS and SSH_SECURITY_GROUP in the same way", async () => {
  await resetHost(host);
  const quick = new Quick(bed, host);
  const before = { GITHUB_RUN_ID: "1" }; // which act numbers its runs by, too: a rollback of an older run is refused
  for (const image of ["echo1", "echo2"]) await quick.deployed(image, { force: "true" }, before);
  await shut();
  const ran = await calls("rollback", {}, { vars: { EC2_FILTERS: "tag:Name=web", SSH_SECURITY_GROUP: group } });
  expect(ran.jobs).toEqual({ "it/Roll back/Roll back production": "success" });
  expect(await judge(host)).toMatchObject({ version: "echo1", wrong: [] });
  expect(await rules()).toEqual([]);
});

test("rollback.yml with a role that can't be assumed touches no host, and says so", async () => {
  const vars = { EC2_FILTERS: "tag:Name=web", SSH_SECURITY_GROUP: group };
  const ran = await calls("rollback", { "role-to-assume": "no-role" }, { vars });
  expect(ran.jobs).toEqual({ "it/Roll back/Roll back production": "failure" });
  expect(ran.log).toContain(
    "::error title=Nothing was rolled back::The rollback was not begun, and no host was touched",
  );
  expect(aws.calls).toEqual([]);
});

test("pipeline-aws.yml builds and deploys from the variables that Terraform writes, with nothing stored", async () => {
  await resetHost(host);
  await shut();
  writeApp(caller, bed, "echo1");
  writeCaller(caller, bed, host, "pipeline-aws.yml");
  const { username, password } = bed.registry;
  const secrets = { REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password };
  const ofHost = { EC2_FILTERS: "tag:Name=web", SSH_SECURITY_GROUP: group, PLATFORMS: "linux/amd64" };
  const vars = { ...ofHost, DEPLOY_ROLE: ROLE, AWS_REGION: "us-east-1" };
  const env = { AWS_ENDPOINT_URL: aws.client.endpoint, AWS_EC2_METADATA_DISABLED: "true", ...services.env };
  const pushes = (more: Readonly<Record<string, string>> = {}) => {
    caller.commit();
    return caller.run({ workflow: "pipeline-aws.yml", env, secrets, vars: { ...vars, ...more } });
  };
  const ran = await pushes();
  expect(ran.jobs).toMatchObject({ "Deploy/Deploy/Deploy to production": "success" });
  expect(await judge(host, "shop")).toMatchObject({ wrong: [], version: /version=([0-9a-f]{40})/.exec(ran.log)?.[1] });
  expect(await rules()).toEqual([]);
  const watched = await pushes({ ALARMS: "web-cpu" });
  expect(watched.log).toMatch(/alarms: .*web-cpu/); // it is not there, which the deploy says
  expect(watched.jobs).toMatchObject({ "Deploy/Deploy/Deploy to production": "failure" });
});
