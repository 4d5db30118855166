import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DescribeSecurityGroupRulesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, expect, jest } from "@jest/globals";
import { FakeAws } from "../bed/aws/fake-aws";
import { resetHost } from "../bed/hosts";
import { AddressServices } from "../support/address-services";
import { turnAlarm } from "../support/alarms";
import { myHost, theBed } from "../support/bed";
import { lookAt, until } from "../support/outside";
import { Quick } from "../support/quick";
import { basicInputs, type Inputs, startPost, startStep } from "../support/runner";
import { missing } from "../terraform/terraform";
import { titled, withTerraform } from "../terraform/with-terraform";
import { Workspace } from "../terraform/workspace";

// Terraform has made the system, and a deploy knows of it what `terraform output` says and nothing else. The box stands for
// Terraform's instance: the box lets in who a rule of Terraform's group names, with a key that was sent.
jest.setTimeout(240_000);
const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
let aws: FakeAws;
let services: AddressServices;
let system: Workspace;
let made: Readonly<Record<string, string>> = {};
let inputs: Inputs = {};
let env: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  if (missing !== "") return;
  await resetHost(host);
  aws = await FakeAws.start({ hosts: [host] });
  const here = await aws.sourceSeenBy(host);
  services = await AddressServices.start({ answers: { "checkip.amazonaws.com": here, "icanhazip.com": here } });
  env = { ...aws.env, ...services.env };
  system = new Workspace("terraform", { aws: aws.moto.endpoint, state: "local" });
  system.set({ ssh_open: false, alert_email: "ops@example.com" });
  await system.init();
  await system.apply();
  made = await system.outputs();
  const { instance_id: id = "", ec2_filters = "", ssh_security_group: group = "" } = made;
  inputs = { hosts: "", "ssh-key": "", "ssh-known-hosts": "", "ec2-filters": ec2_filters, "ssh-security-group": group };
  await aws.stand(host, id);
  await aws.writeHostKey(host, id);
  await aws.lockDoor(host, group);
  await aws.keyless(host);
}, 300_000);
afterEach(() => aws?.forget());
afterAll(async () => {
  if (missing !== "") return;
  system?.end();
  await services?.end();
  await aws?.end();
  await resetHost(host);
}, 60_000);

const ec2 = () => new EC2Client(aws.moto);
const doors = async () => {
  const Filters = [{ Name: "group-id", Values: [made.ssh_security_group ?? ""] }];
  const { SecurityGroupRules = [] } = await ec2().send(new DescribeSecurityGroupRulesCommand({ Filters }));
  return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress);
};

withTerraform(titled("deploys to what Terraform made by its outputs alone, with nothing stored"), async () => {
  const ended = await quick.deployed("echo1", inputs, env);
  expect(JSON.parse(ended.outputs.hosts ?? "")).toMatchObject([{ host: made.instance_id, name: "hello-devops" }]);
  expect(await lookAt(host)).toMatchObject({ serves: "echo1", current: "echo1", journal: false, locked: false });
  expect(await doors()).toEqual([]);
});

withTerraform(titled("no plan sees the door of a deploy, neither while it is open nor after"), async () => {
  const step = quick.start("echo2", { ...inputs, "bake-time": "3m" }, env);
  await step.reaches("bake");
  expect(await doors()).toMatchObject([{ FromPort: 22, ToPort: 22 }]);
  expect(await system.plan()).toEqual({});
  expect(await doors()).toHaveLength(1);
  step.kill("SIGINT");
  expect((await step.ended).outputs.status).toBe("rolled-back");
  expect(await doors()).toEqual([]);
  expect(await system.plan()).toEqual({});
  expect((await lookAt(host)).serves).toBe("echo1");
});

withTerraform(titled("rolls back by the same outputs"), async () => {
  await quick.deployed("echo2", inputs, env);
  const back = await startStep("rollback-ec2", { ...inputs, "start-timeout": "15s" }, env).ended;
  expect(back.outputs.status).toBe("deployed");
  expect((await lookAt(host)).serves).toBe("echo1");
  expect(await doors()).toEqual([]);
});

withTerraform(titled("a killed runner's rule is no drift, and its post step removes it"), async () => {
  const killed = { ...basicInputs(bed, host, "echo2"), ...inputs, "bake-time": "3m" };
  const step = startStep("deploy-ec2", killed, env);
  await step.reaches("bake");
  step.kill("SIGKILL");
  const { state } = await step.ended;
  expect(await doors()).toHaveLength(1);
  expect(await system.plan()).toEqual({});
  await startPost("deploy-ec2", killed, state, env).ended;
  expect(await doors()).toEqual([]);
  await until("the host has settled", async () => !(await lookAt(host)).journal);
});

withTerraform(titled("each of Terraform's alarms is a gate: one that goes red puts the release back"), async () => {
  const cloudWatch = new CloudWatchClient(aws.moto);
  const names = made.alarm_names?.split(",") ?? [];
  const before = await lookAt(host);
  const [, red = ""] = names;
  await turnAlarm(cloudWatch, red, "OK");
  const step = quick.start("echo2", { ...inputs, alarms: made.alarm_names ?? "" }, env);
  await step.reaches("bake");
  await turnAlarm(cloudWatch, red, "ALARM");
  const ended = await step.ended;
  const [, watched = ""] = /Alarms: (.+?)\. The bake/.exec(ended.log) ?? [];
  expect(watched.split(", ").sort()).toEqual([...names].sort());
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "alarms" });
  expect(ended.outputs.reason).toContain(`Alarm "${red}" went into ALARM`);
  expect(await lookAt(host)).toEqual(before);
  await turnAlarm(cloudWatch, red, "OK");
});

withTerraform(
  titled("the instance that replaces it serves nothing until a deploy, and is found by the same outputs"),
  async () => {
    system.set({ host_revision: 2 });
    await system.apply();
    const after = await system.outputs();
    expect(after).toEqual({ ...made, instance_id: expect.not.stringMatching(made.instance_id ?? "") });
    await resetHost(host); // a new machine
    await aws.stand(host, after.instance_id ?? "");
    await aws.writeHostKey(host, after.instance_id ?? "");
    await aws.lockDoor(host, after.ssh_security_group ?? "");
    await aws.keyless(host);
    const ended = await quick.deployed("echo2", inputs, env);
    expect(JSON.parse(ended.outputs.hosts ?? "")).toMatchObject([{ host: after.instance_id }]);
    expect((await lookAt(host)).serves).toBe("echo2");
  },
);
