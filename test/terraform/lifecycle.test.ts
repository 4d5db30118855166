import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, jest } from "@jest/globals";
import { Moto } from "../bed/aws/moto";
import { Account } from "./inventory";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";
import { type Plan, Workspace } from "./workspace";

// One account's whole life, each test from where the one before it ended.
jest.setTimeout(600_000);

let moto: Moto;
let account: Account;
let empty: Awaited<ReturnType<Account["inventory"]>>;
let bootstrap: Workspace;
let main: Workspace;

interface Bootstrapped {
  readonly backend_config: string;
  readonly backend_tf: string;
  readonly tfvars: string;
}

const BUCKET = "hello-devops-state-123456789012-us-east-1";

beforeAll(async () => {
  if (missing !== "") return;
  moto = await Moto.start();
  account = new Account(moto.endpoint);
  empty = await account.inventory();
  bootstrap = new Workspace("terraform/bootstrap", { aws: moto.endpoint });
  main = new Workspace("terraform", { aws: moto.endpoint });
}, 300_000);
afterAll(async () => {
  bootstrap?.end();
  main?.end();
  await moto?.stop();
});

const step = (title: string, work: () => Promise<void>) => withTerraform(titled(title), work);
const resourcesOf = (plan: Plan, action: string) =>
  Object.keys(plan).filter((address) => plan[address] === action && !address.startsWith("output."));

step("bootstrap makes what the states and the roles need, and changes nothing a second time", async () => {
  bootstrap.set({ repositories: [{ name: "acme/web" }] });
  await bootstrap.init();
  await bootstrap.apply();
  expect(await bootstrap.plan()).toEqual({});
});

step("bootstrap's own state moves into the bucket that it made, and nothing changes by that", async () => {
  const { backend_tf } = await bootstrap.outputs<Bootstrapped>();
  bootstrap.write("backend.tf", backend_tf);
  await bootstrap.init("-migrate-state", "-force-copy");
  rmSync(join(bootstrap.folder, "terraform.tfstate"), { force: true });
  rmSync(join(bootstrap.folder, "terraform.tfstate.backup"), { force: true });
  expect(await bootstrap.plan()).toEqual({});
});

step("the system is made with what bootstrap printed and nothing else, and a second plan is empty", async () => {
  const { backend_config, tfvars } = await bootstrap.outputs<Bootstrapped>();
  main.write("backend.hcl", backend_config);
  main.write("bootstrap.auto.tfvars", tfvars);
  main.set({
    alert_email: "ops@example.com",
    operator_cidrs: ["203.0.113.7/32"],
    data_volume_size: 8,
    flow_logs: true,
  });
  await main.init("-backend-config=backend.hcl");
  await main.apply();
  expect(await main.plan()).toEqual({});
});

step("a longer retention changes the log groups and nothing else", async () => {
  main.set({ log_retention_days: 14 });
  expect(await main.plan()).toEqual({
    "aws_cloudwatch_log_group.this": "update",
    "aws_cloudwatch_log_group.flow_logs[0]": "update",
  });
  main.set({ log_retention_days: 7 });
});

step("another instance_type and another user data change the instance where it is, and the price", async () => {
  main.set({ instance_type: "t3.small", monitoring: "metrics" });
  expect(await main.plan()).toEqual({ "aws_instance.this": "update", "output.monthly_cost": "update" });
  main.set({ instance_type: "t3.micro", monitoring: "core" });
});

step("a raised host_revision replaces the instance and what ties its disk to it; address and data stay", async () => {
  const before = await main.outputs();
  const kept = ["aws_eip.this[0]", "aws_ebs_volume.data[0]", "aws_security_group.host", "aws_security_group.deploy"];
  const ids = await idsOf(kept);
  main.set({ host_revision: 2 });
  const plan = await main.plan();
  expect(resourcesOf(plan, "replace").sort()).toEqual([
    "aws_instance.this",
    "aws_volume_attachment.data[0]",
    "terraform_data.host",
  ]);
  expect([resourcesOf(plan, "delete"), resourcesOf(plan, "create")]).toEqual([[], []]);
  await main.apply();
  const after = await main.outputs();
  expect(after.instance_id).not.toBe(before.instance_id);
  expect(after.public_ip).toBe(before.public_ip);
  expect(await idsOf(kept)).toEqual(ids);
  expect(await main.plan()).toEqual({});
});

const idsOf = async (addresses: readonly string[]): Promise<readonly unknown[]> => {
  type Shown = { values: { root_module: { resources: readonly { address: string; values: { id: string } }[] } } };
  const { values } = JSON.parse(await main.terraform("show", "-json")) as Shown;
  const { resources } = values.root_module;
  return addresses.map((address) => resources.find((resource) => resource.address === address)?.values.id);
};

step("who finds the state locked by somebody else is told by whom", async () => {
  const lock = {
    ID: "1",
    Operation: "OperationTypeApply",
    Who: "ann@elsewhere",
    Version: "1.11.4",
    Info: "",
    Path: "",
  };
  const key = "hello-devops/terraform.tfstate.tflock";
  await account.putObject(BUCKET, key, JSON.stringify({ ...lock, Created: "2026-11-26T10:00:00Z" }));
  main.set({ log_retention_days: 30 });
  await expect(main.apply("-lock-timeout=0s")).rejects.toThrow(/Error acquiring the state lock[\s\S]*ann@elsewhere/);
  await account.deleteObject(BUCKET, key);
  main.set({ log_retention_days: 7 });
});

step("a destroy leaves the data volume's snapshot, a key that waits for its end, and nothing else", async () => {
  await main.destroy();
  expect(await main.resources()).toEqual([]);
  const left = await account.query("ec2", "DescribeSnapshots&Filter.1.Name=tag:Project&Filter.1.Value.1=hello-devops");
  expect(left.match(/<snapshotId>/g)).toHaveLength(1);
  expect(await account.keyStates()).toEqual(["PendingDeletion"]);
});

step("bootstrap takes its state back and removes the rest: the account is as it was", async () => {
  bootstrap.set({ force_destroy: true });
  await bootstrap.apply();
  rmSync(join(bootstrap.folder, "backend.tf"));
  await bootstrap.init("-migrate-state", "-force-copy");
  await account.removeMarkers(BUCKET);
  await bootstrap.destroy();
  expect(await account.inventory()).toEqual(empty);
});
