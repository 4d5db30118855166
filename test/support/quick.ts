import type { Bed, BedHost } from "../bed/bed";
import { basicInputs, type Ended, type Inputs, type Step, startStep } from "./runner";

type Variables = Readonly<Record<string, string>>;

/** Deploys to one host with the quickest gates: for tests of what is not a gate. */
export class Quick {
  constructor(
    private readonly bed: Bed,
    private readonly host: BedHost,
  ) {}

  start(image: string, more: Inputs = {}, env: Variables = {}): Step {
    const quick = { "bake-time": "0s", "health-interval": "50ms", "health-threshold": "1" };
    return startStep("deploy-ec2", { ...basicInputs(this.bed, this.host, image), ...quick, ...more }, env);
  }

  deploy(image: string, more: Inputs = {}, env: Variables = {}): Promise<Ended> {
    return this.start(image, more, env).ended;
  }

  /** A deploy that the test goes on from: it must be good. */
  async deployed(image: string, more: Inputs = {}, env: Variables = {}): Promise<Ended> {
    return good(await this.deploy(image, more, env));
  }
}

/** @throws with the whole job log */
export function good(ended: Ended): Ended {
  if (ended.outputs.status === "deployed" && ended.code === 0) return ended;
  throw new Error(`expected a good deploy, got "${ended.outputs.status}" (exit ${ended.code}):\n${ended.log}`);
}
