// npm run demo:aws: terraform apply, a deploy with nothing stored, terraform destroy. AWS is moto with what it lacks played
// before it; the host in a box takes nobody on port 22 but by a rule of its security group, and no key but one that was sent
// less than 60 s ago.
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DescribeSecurityGroupRulesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { FakeAws } from "../test/bed/aws/fake-aws";
import type { BedHost } from "../test/bed/bed";
import { down } from "../test/bed/down";
import { resetHost } from "../test/bed/hosts";
import { up } from "../test/bed/up";
import { AddressServices } from "../test/support/address-services";
import { putAlarm, turnAlarm } from "../test/support/alarms";
import { ManInTheMiddle } from "../test/support/man-in-the-middle";
import { type Ended, startPost } from "../test/support/runner";
import { missing } from "../test/terraform/terraform";
import { Play, runDemo, status } from "./demo/play";
import { bold, dim, say } from "./demo/screen";
import { System } from "./demo/system";

const BED = "demo-aws";

/** What a deploy must know of the system. */
interface Made {
  readonly id: string;
  readonly filters: string;
  readonly group: string;
  readonly alarms: string;
}

interface Stage extends Made {
  readonly play: Play;
  readonly aws: FakeAws;
  readonly host: BedHost;
  /** undefined = there is no Terraform here */
  readonly system: System | undefined;
  readonly env: Readonly<Record<string, string>>;
}

async function main(): Promise<number> {
  say(bold("hello-devops: a deploy with nothing stored, through a port that is shut"));
  say(dim("An EC2 host in a box, a registry, images and an AWS in a process are made first."));
  const bed = await up({ name: BED, hosts: 1 });
  const host = bed.hosts[0] as BedHost;
  await resetHost(host);
  const aws = await FakeAws.start({ hosts: [host] });
  const here = await aws.sourceSeenBy(host);
  const services = await AddressServices.start({ answers: { "checkip.amazonaws.com": here, "icanhazip.com": here } });
  const system = missing === "" ? new System(aws) : undefined;
  try {
    const env = { ...aws.env, ...services.env };
    const play = new Play(bed, host, env);
    if (!system) say(`${missing}: the instance is made without it.`);
    const made = system ? await bySystem(system, play) : await byHand(aws, host);
    await aws.stand(host, made.id);
    await aws.writeHostKey(host, made.id);
    await Promise.all([aws.lockDoor(host, made.group), aws.keyless(host)]);
    const stage = { play, aws, host, system, env, ...made };
    await theOldWay(stage);
    await byTag(stage);
    await inBetween(stage);
    await killedRunner(stage);
    await redAlarm(stage);
    await aTenthFirst(stage);
    await system?.remove(play);
    return play.close();
  } finally {
    system?.end();
    await services.end();
    await aws.end();
    await down(BED);
  }
}

async function bySystem(system: System, play: Play): Promise<Made> {
  const { instance_id: id, ec2_filters: filters, ssh_security_group: group, alarm_names } = await system.make(play);
  return { id, filters, group, alarms: alarm_names };
}

async function byHand(aws: FakeAws, host: BedHost): Promise<Made> {
  const [{ id }, group] = await Promise.all([aws.launch(host, { name: "web" }), aws.securityGroup("deploys")]);
  await putAlarm(new CloudWatchClient(aws.moto), "web-5xx", "OK");
  return { id, filters: "tag:Name=web", group, alarms: "web-5xx" };
}

const NOTHING_STORED = { hosts: "", "ssh-key": "", "ssh-known-hosts": "" };
const found = ({ filters, group }: Made) => ({
  ...NOTHING_STORED,
  "ec2-filters": filters,
  "ssh-security-group": group,
});

async function rules({ aws, group }: Stage): Promise<readonly string[]> {
  const Filters = [{ Name: "group-id", Values: [group] }];
  const { SecurityGroupRules = [] } = await new EC2Client(aws.moto).send(
    new DescribeSecurityGroupRulesCommand({ Filters }),
  );
  return SecurityGroupRules.filter(({ IsEgress }) => !IsEgress).map(
    ({ FromPort, CidrIpv4 }) => `${FromPort} from ${CidrIpv4}`,
  );
}
const shown = (open: readonly string[]) => open.join(", ") || "nobody";

async function theOldWay(stage: Stage): Promise<void> {
  const { play } = stage;
  play.scene(
    "The old way in",
    "A key in a secret and the host's address: port 22 lets nobody in, and no stored key is taken.",
  );
  const ended = await play.start("good1", "v1", { "connect-timeout": "2s" }).ended;
  say(`  ${dim("deploy:")} ${ended.outputs.reason}`);
  play.claim("nobody gets in", status(ended), ended.outputs["failed-gate"] === "connect");
}

async function byTag(stage: Stage): Promise<void> {
  const { play, aws, id } = stage;
  play.scene(
    "By tag",
    "The instance is found by its tag; SSM has the host key that it wrote there; a key made for this step is sent.",
  );
  const before = await rules(stage);
  const step = play.start("good1", "v1", found(stage));
  await step.reaches("bake");
  const during = await rules(stage);
  const ended = await step.ended;
  for (const line of ended.log.split("\n").filter((text) => /reached at|come from|is open for|is shut/.test(text)))
    say(`  ${dim("deploy:")} ${line}`);
  play.claim("v1 is deployed", status(ended), ended.code === 0 && (await play.look()).serves === "v1");
  play.claim("the host's key came from SSM", id, ended.log.includes(`the SSM parameter /hello-devops/host-keys/${id}`));
  play.claim(
    "port 22 before, meanwhile, after",
    `${shown(before)}; ${shown(during)}; ${shown(await rules(stage))}`,
    before.length === 0 && during.length === 1 && (await rules(stage)).length === 0,
  );
  const asked = aws.iamActions;
  play.claim("what the role needed", `${asked.length} actions`, asked.length > 0);
  for (const action of asked) say(`    ${dim(action)}`);
}

async function inBetween(stage: Stage): Promise<void> {
  const { play, aws, host } = stage;
  play.scene("Somebody in between", "The address leads to another SSH server, which shows a key of its own.");
  const man = await ManInTheMiddle.start();
  try {
    const { id } = await aws.launch(host, { address: man.address });
    await aws.writeHostKey(host, id);
    const ended = await play.start("good2", "v2", { ...NOTHING_STORED, hosts: `${id}:${man.port}` }).ended;
    say(`  ${dim("deploy:")} ${ended.outputs.reason}`);
    play.claim("it is refused", status(ended), ended.outputs["failed-gate"] === "connect");
    play.claim(
      "it was sent neither a user nor a key",
      `${man.connections} connection, ${man.logins.length} logins`,
      man.logins.length === 0,
    );
  } finally {
    await man.end();
  }
}

async function killedRunner(stage: Stage): Promise<void> {
  const { play, env, system } = stage;
  play.scene(
    "The runner dies while the port is open",
    "v2 is being watched when its step is killed (SIGKILL). GitHub runs its post step.",
  );
  const inputs = found(stage);
  const step = play.start("good2", "v2", { ...inputs, "bake-time": "60s" });
  await step.reaches("bake");
  step.kill("SIGKILL");
  const { state } = await step.ended;
  play.claim("the port was left open", shown(await rules(stage)), (await rules(stage)).length === 1);
  await system?.planIsEmpty(play, "terraform plan does not see it");
  const post = await startPost("deploy-ec2", inputs, state, env).ended;
  for (const line of post.log.split("\n").filter((text) => /is shut/.test(text))) say(`  ${dim("post:")} ${line}`);
  play.claim("the post step shut it", shown(await rules(stage)), (await rules(stage)).length === 0);
  const seen = await play.settled();
  play.claim(
    "the host has settled on v1 by itself",
    seen.serves ?? "nothing",
    seen.serves === "v1" && seen.current === "v1",
  );
}

async function redAlarm(stage: Stage): Promise<void> {
  const { play, aws, alarms } = stage;
  const [alarm = ""] = alarms.split(",");
  play.scene(
    "An alarm goes red",
    `CloudWatch's alarm ${alarm} is OK when v2 is deployed, and goes into ALARM while v2 is watched under traffic.`,
  );
  const cloudWatch = new CloudWatchClient(aws.moto);
  await turnAlarm(cloudWatch, alarm, "OK");
  const steps: Ended[] = [];
  const { failed } = await play.underLoad(async (_timeline, load) => {
    await load.answeredBy("v1");
    const step = play.start("good2", "v2", { ...found(stage), alarms });
    await step.reaches("bake");
    await load.answeredBy("v2");
    await turnAlarm(cloudWatch, alarm, "ALARM");
    steps.push(await step.ended);
  });
  const [ended] = steps as [Ended];
  for (const line of ended.log.split("\n").filter((text) => /^Alarms: /.test(text))) say(`  ${dim("deploy:")} ${line}`);
  say(`  ${dim("deploy:")} ${ended.outputs.reason}`);
  play.claim("v2 goes back", status(ended), ended.outputs["failed-gate"] === "alarms");
  const seen = await play.look();
  play.claim("the host is on v1", seen.serves ?? "nothing", seen.serves === "v1" && seen.current === "v1");
  play.claim("no request failed", failed, failed === 0);
}

async function aTenthFirst(stage: Stage): Promise<void> {
  const { play } = stage;
  play.scene(
    "A bad release meets a tenth of the users",
    "v3's health page is good, but a twentieth of its requests fail. It gets 10 % of the traffic first.",
  );
  const steps = { "traffic-steps": "10, 100", "step-duration": "30s" };
  let ended: Ended | undefined;
  const { byRelease, failed } = await play.underLoad(async (_timeline, load) => {
    await load.answeredBy("v1");
    ended = await play.start("errors5", "v3", { ...found(stage), ...steps }).ended;
  });
  if (!ended) throw new Error("the deploy did not end");
  const { reason = "" } = ended.outputs;
  say(`  ${dim("deploy:")} ${reason}`);
  play.claim("it went back at 10 %", status(ended), reason.startsWith("Stopped at 10 % of the traffic"));
  const got = byRelease.v3 ?? 0;
  play.claim(`requests that failed, of ${got} that v3 got`, failed, failed > 0 && failed <= got / 20);
  const seen = await play.settled();
  play.claim("v1 serves", seen.serves ?? "nothing", seen.serves === "v1" && seen.current === "v1");
}

runDemo(main);
