import type { Bed, BedHost } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { heal } from "../support/faults";
import { inBox } from "../support/outside";
import { basicInputs, type Ended, type Inputs, type Step, startStep } from "../support/runner";
import type { Cell } from "./table";

/** One of the matrix's hosts, and the deploys to it. */
export class Site {
  /** what serves, when the last cell's second look found nothing wrong: the next cell's clean slate */
  #live = "";

  constructor(
    private readonly bed: Bed,
    readonly host: BedHost,
  ) {}

  start(image: string, more: Inputs): Step {
    const quick = {
      app: "web",
      "bake-time": "0s",
      "connect-timeout": "3s",
      "drain-timeout": "5s",
      "stop-timeout": "5s",
    };
    return startStep("deploy-ec2", { ...basicInputs(this.bed, this.host, image), ...quick, ...more });
  }

  /** A deploy that has the phase, and stays long enough for the fault to be felt before the commit. */
  startFor({ strategy, phase, fault }: Cell, image: string): Step {
    return this.start(image, {
      strategy,
      ...(fault === "wire cut silently" && { lease: "5s" }), // the one fault that a lease has to notice
      ...(phase === "pre-deploy" && { "pre-deploy": "sleep 2" }),
      ...(/^(start|probe|shift|bake)$/.test(phase) && { "bake-time": "3s" }),
    });
  }

  /** What the cell deploys: not what serves now; for a pull, what is not on the host. */
  async candidateFor({ phase }: Cell, live: string): Promise<string> {
    if (phase !== "pull") return another(live);
    for (const image of ["good1", "good2", "echo1", "echo2"]) {
      const digest = this.bed.images[image]?.digest ?? "";
      await inBox(this.host, "docker", "image", "rm", "-f", digest).catch(() => {}); // used, or not there
      const there = await inBox(this.host, "docker", "image", "inspect", digest).catch(() => "");
      if (image !== live && there === "") return image;
    }
    throw new Error("every image is on the host, and used");
  }

  deploy(image: string, strategy: string): Promise<Ended> {
    return this.start(image, { strategy }).ended;
  }

  leftIn(live: string, wrong: readonly string[]): void {
    this.#live = wrong.length === 0 ? live : "";
  }

  /** The release that serves. A host that is not as it should be is made anew: each cell stands alone. */
  async standing(strategy: string): Promise<string> {
    if (this.#live) return this.#live;
    await docker(["restart", this.host.container]);
    await inBox(this.host, "bed-ctl", "wait");
    return this.anew(strategy);
  }

  async anew(strategy: string): Promise<string> {
    await heal(this.host);
    await resetHost(this.host);
    const ended = await this.deploy("echo1", strategy);
    if (ended.outputs.status !== "deployed") throw new Error(`a new host did not take echo1:\n${ended.log}`);
    this.#live = "echo1";
    return "echo1";
  }
}

export const another = (image: string): string => (image === "echo1" ? "echo2" : "echo1");

/** Hands out the hosts, one to a cell. */
export class Pool {
  readonly #free: Site[];
  readonly #waiting: ((site: Site) => void)[] = [];

  constructor(sites: readonly Site[]) {
    this.#free = [...sites];
  }

  take(): Promise<Site> {
    const site = this.#free.shift();
    return site ? Promise.resolve(site) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(site: Site): void {
    const next = this.#waiting.shift();
    if (next) next(site);
    else this.#free.push(site);
  }
}
