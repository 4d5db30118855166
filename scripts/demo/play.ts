// The scenes of the demo: each drives the committed bundle as GitHub's runner does, and looks at the host from outside.
import type { Bed, BedHost } from "../../test/bed/bed";
import { Load, type LoadResult } from "../../test/support/load";
import { lookAt, type Seen, until } from "../../test/support/outside";
import { rollbackInputs } from "../../test/support/rollback";
import { basicInputs, type Ended, type Step, startStep } from "../../test/support/runner";
import { chapter, dim, green, red, say, table, ticker } from "./screen";
import { Timeline } from "./timeline";

export interface Claim {
  readonly claim: string;
  readonly seen: string;
  readonly holds: boolean;
}

export class Play {
  readonly claims: Claim[] = [];
  readonly #startedAt = performance.now();
  #number = 0;

  /** @param env of each step, beside what GitHub gives it */
  constructor(
    private readonly bed: Bed,
    private readonly host: BedHost,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  scene(title: string, about: string): void {
    this.#number += 1;
    chapter(this.#number, title, about);
  }

  start(image: string, version: string, more: Readonly<Record<string, string>> = {}): Step {
    const inputs = { ...basicInputs(this.bed, this.host, image), version, ...more };
    return this.#told("deploy", startStep("deploy-ec2", inputs, this.env));
  }

  rollBack(more: Readonly<Record<string, string>> = {}): Step {
    return this.#told("rollback", startStep("rollback-ec2", rollbackInputs(this.bed, this.host, more)));
  }

  #told(what: string, step: Step): Step {
    let told = 0;
    step.child.stdout?.on("data", () => {
      const lines = step.log.split("\n").filter((line) => / done in | failed after /.test(line));
      for (const line of lines.slice(told)) say(`  ${dim(`${what}:`)} ${line}`);
      told = lines.length;
    });
    return step;
  }

  /** Runs a scene under load, with a line that counts; shows who answered when. */
  async underLoad(scene: (timeline: Timeline, load: Load) => Promise<void>): Promise<LoadResult> {
    const load = new Load(this.host.url, { keepAlive: 16, fresh: 4, limit: 90_000 });
    const timeline = new Timeline(load);
    const counting = setInterval(() => ticker(count(load.result)), 250);
    try {
      await scene(timeline, load);
    } finally {
      clearInterval(counting);
    }
    const result = await load.stop();
    timeline.stop();
    say(`  ${count(result)}`);
    for (const failure of result.failures) say(red(`  ${failure}`));
    timeline.print();
    return result;
  }

  look(): Promise<Seen> {
    return lookAt(this.host);
  }

  /** Waits until the host itself is done: no lock, no journal. */
  async settled(): Promise<Seen> {
    await until("the host has settled", async () => {
      const seen = await this.look();
      return !seen.locked && !seen.journal;
    });
    return this.look();
  }

  claim(claim: string, seen: string | number, holds: boolean): void {
    this.claims.push({ claim, seen: String(seen), holds });
    say(`  ${holds ? green("✓") : red("✗")} ${claim}: ${seen}`);
  }

  /** All claims once more. @returns an exit status */
  close(): number {
    say();
    table([
      ["claim", "seen", "holds"],
      ...this.claims.map(({ claim, seen, holds }) => [claim, seen.slice(0, 70), holds ? "yes" : "NO"]),
    ]);
    const broken = this.claims.filter(({ holds }) => !holds).length;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    say();
    say(`${broken === 0 ? green("Every claim held") : red(`${broken} claims did not hold`)}, in ${seconds} s.`);
    return broken === 0 ? 0 : 1;
  }
}

/** Runs a demo, and ends with its status. */
export function runDemo(main: () => Promise<number>): void {
  main().then(
    (code) => process.exit(code),
    (error: Error) => {
      say(red(`The demo could not go on: ${error.message}`));
      process.exit(1);
    },
  );
}

export const status = (ended: Ended): string =>
  `${ended.outputs.status ?? "no status"}, exit ${ended.code ?? "killed"}`;

const count = ({ requests, failed }: LoadResult): string =>
  `${requests} requests, ${failed === 0 ? green("0 failed") : red(`${failed} failed`)}`;
