import { CloudWatchClient, type StateValue } from "@aws-sdk/client-cloudwatch";
import { FakeAws } from "../bed/aws/fake-aws";
import { putAlarm, turnAlarm } from "./alarms";
import { type Ended, type Inputs, type Step, startStep } from "./runner";
import { httpServer, inTurn, type Running, stopServers } from "./servers";

/** An element of the output `results`. */
export interface Result {
  readonly name: string;
  readonly url: string;
  readonly status: string;
  readonly seen: Readonly<Record<string, number>>;
  readonly "last-seen": string;
}

/** An app that answers, and AWS beside it: what verify-health's bundle is run against. */
export class AwsVerification {
  /** all that a policy must have allowed so far */
  readonly asked = new Set<string>();
  readonly cloudWatch: CloudWatchClient;
  #earlier = 0;

  private constructor(
    readonly aws: FakeAws,
    private readonly app: Running,
  ) {
    this.cloudWatch = new CloudWatchClient(aws.moto);
  }

  static async begin(): Promise<AwsVerification> {
    return new AwsVerification(await FakeAws.start({ hosts: [] }), await httpServer(inTurn(200)));
  }

  async end(): Promise<void> {
    await stopServers();
    await this.aws.end();
  }

  /** For `afterEach`. */
  forget(): void {
    for (const action of this.aws.iamActions) this.asked.add(action);
    this.aws.forget();
    this.#earlier = this.app.requests.length;
  }

  /** what the app was asked in this test */
  get requests(): Running["requests"] {
    return this.app.requests.slice(this.#earlier);
  }

  get url(): string {
    return `http://${this.app.place}/`;
  }

  start(inputs: Inputs, env: Inputs = this.aws.env): Step {
    return startStep("verify-health", { url: this.url, timeout: "1s", interval: "500ms", ...inputs }, env);
  }

  step(inputs: Inputs, env?: Inputs): Promise<Ended> {
    return this.start(inputs, env).ended;
  }

  alarm(name: string, state: StateValue = "OK"): Promise<void> {
    return putAlarm(this.cloudWatch, name, state);
  }

  turn(name: string, state: StateValue): Promise<void> {
    return turnAlarm(this.cloudWatch, name, state);
  }

  calls(action: string): number {
    return this.aws.calls.filter((call) => call.action === action).length;
  }
}

/** What AWS was asked about. @throws unless the URL is the first check, and healthy */
export function ofAws({ outputs }: Ended): readonly Result[] {
  const [first, ...others] = JSON.parse(outputs.results ?? "[]") as Result[];
  if (first?.url === "" || first?.status !== "healthy") throw new Error(`the URL is not healthy: ${outputs.results}`);
  return others;
}
