// AWS for the bed: moto, and in front of it what moto lacks and what must have an effect on a box.
import { createSocket } from "node:dgram";
import { CreateSecurityGroupCommand, EC2Client } from "@aws-sdk/client-ec2";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { BedHost } from "../bed";
import { docker } from "../run";
import { bootConsole, consoleOutput, hostKeyOf } from "./console";
import { Doors, ruleChanges } from "./door";
import { type Fault, Front, type Player, type Players } from "./front";
import { boxAddress, Instances, type Launched, type Wanted } from "./instances";
import { Moto } from "./moto";
import type { Call } from "./protocol";
import { sendPublicKey } from "./sent-keys";

const region = "us-east-1";
const credentials = { accessKeyId: "ASIABED", secretAccessKey: "bed-secret", sessionToken: "bed-session" };

/** What a client of AWS is made with. */
const settings = (endpoint: string) => ({ endpoint, region, credentials });

export type ClientSettings = ReturnType<typeof settings>;

/** What is in front of moto. */
interface Scene {
  readonly ec2: EC2Client;
  readonly instances: Instances;
  readonly doors: Doors;
  readonly consoles: Map<string, string>;
}

export class FakeAws {
  private constructor(
    private readonly process: Moto,
    private readonly scene: Scene,
    private readonly front: Front,
    private readonly endpoint: string,
    private readonly hosts: readonly BedHost[],
  ) {}

  /** Of these hosts everything that a test took away is put back by `end`. */
  static async start({ hosts }: { readonly hosts: readonly BedHost[] }): Promise<FakeAws> {
    const moto = await Moto.start();
    const ec2 = new EC2Client(settings(moto.endpoint));
    const scene = { ec2, instances: new Instances(ec2), doors: new Doors(ec2), consoles: new Map() };
    const front = new Front(moto.endpoint, players(scene));
    return new FakeAws(moto, scene, front, await front.listen(), hosts);
  }

  /** What a step's environment needs. */
  get env(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  /** For a client that speaks as a step does. */
  get client(): ClientSettings {
    return settings(this.endpoint);
  }

  /** For a client that sets the scene: straight to moto, where no call is written down and none fails. */
  get moto(): ClientSettings {
    return settings(this.process.endpoint);
  }

  /** All that came, in order, failed ones too. */
  get calls(): readonly Call[] {
    return this.front.calls;
  }

  /** What a policy must allow for the calls that came. */
  get iamActions(): string[] {
    const actions = this.calls.flatMap(({ action, parameters }) =>
      // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
      action.startsWith("ec2:") && "TagSpecification" in parameters ? [action, "ec2:CreateTags"] : [action],
    );
    return [...new Set(actions)].sort();
  }

  /** Empties the log, and takes back what a test let fail or played. */
  forget(): void {
    this.front.forget();
  }

  /** The next calls of the action fail. */
  fail(action: string, fault: Fault): void {
    this.front.fail(action, fault);
  }

  /** Answers an action that moto lacks, or changes what it says. */
  play(action: string, player: Player): void {
    this.front.play(action, player);
  }

  /** An instance that stands for the box. */
  launch(host: BedHost, wanted: Wanted = {}): Promise<Launched> {
    return this.scene.instances.launch(host, wanted);
  }

  /** The same for an instance that Terraform has made, at the address that it has now. */
  stand(host: BedHost, id: string): Promise<void> {
    return this.scene.instances.stand(host, id);
  }

  /** Writes the box's key to the instance's parameter, as the instance itself does when it boots. */
  async writeHostKey(host: BedHost, id: string): Promise<void> {
    const parameter = { Name: `/hello-devops/host-keys/${id}`, Value: await hostKeyOf(host), Type: "String" as const };
    const ssm = new SSMClient(this.moto);
    await ssm.send(new PutParameterCommand({ ...parameter, Overwrite: true }));
    ssm.destroy();
  }

  /** Instances behind which there is nothing, each in a reservation of its own: so they are paged by. */
  async launchOthers(count: number, wanted: Wanted = {}): Promise<Launched[]> {
    const launched: Launched[] = [];
    while (launched.length < count) launched.push(await this.scene.instances.launch(undefined, wanted));
    return launched;
  }

  /** What the instance has written on its console. Until a test says something it is nothing. */
  console(id: string, text: string): void {
    this.scene.consoles.set(id, text);
  }

  bootConsole(host: BedHost): Promise<string> {
    return bootConsole(host);
  }

  /** @returns the id of a new group without a rule for anybody to come in */
  async securityGroup(name: string): Promise<string> {
    const command = new CreateSecurityGroupCommand({ GroupName: name, Description: "made by a test" });
    return (await this.scene.ec2.send(command)).GroupId ?? "";
  }

  /** From now on the box takes new connections to port 22 only from sources that a rule of the group names. */
  lockDoor(host: BedHost, groupId: string): Promise<void> {
    return this.scene.doors.lock(host, groupId);
  }

  openDoor(host: BedHost): Promise<void> {
    return this.scene.doors.open(host);
  }

  /** Takes the login's own key away: only a sent one gets in. */
  async keyless(host: BedHost): Promise<void> {
    await docker(["exec", host.container, "bed-access", "keyless"]);
  }

  async keyed(host: BedHost): Promise<void> {
    await docker(["exec", host.container, "bed-access", "keyed"]);
  }

  /** Makes the keys that the box has been sent older, by the time of their files. */
  async ageSentKeys(host: BedHost, seconds: number): Promise<void> {
    const touch = ["touch", "--date", `-${seconds} seconds`, "{}", "+"];
    await docker(["exec", host.container, "find", "/run/bed/sent-keys", "-type", "f", "-exec", ...touch]);
  }

  /** The address that the box sees of a connection from this machine. */
  sourceSeenBy(host: BedHost): Promise<string> {
    return host.address === boxAddress(host) ? ownAddressTowards(host.address) : Promise.resolve(host.address);
  }

  /** Ends moto and the server, and gives the hosts back with port 22 open, their own key, and no sent one. */
  async end(): Promise<void> {
    await this.front.close(); // no change of a rule reaches a box from here on
    await Promise.all(this.hosts.map((host) => docker(["exec", host.container, "bed-access", "restore"])));
    this.scene.ec2.destroy();
    await this.process.stop();
  }
}

const players = ({ instances, doors, consoles }: Scene): Players => ({
  "ec2:DescribeInstances": async (_call, moto) => instances.addressed(await moto()),
  "ec2:GetConsoleOutput": consoleOutput(consoles),
  "ec2-instance-connect:SendSSHPublicKey": sendPublicKey(instances),
  ...Object.fromEntries(ruleChanges.map((action) => [action, doors.change])),
});

/** The kernel's choice; nothing is sent. */
function ownAddressTowards(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4").once("error", reject);
    socket.connect(9, address, () => {
      resolve(socket.address().address);
      socket.close();
    });
  });
}
