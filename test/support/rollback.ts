import type { Bed, BedHost } from "../bed/bed";
import { inBox } from "./outside";
import { good, Quick } from "./quick";
import { basicInputs, defaultsOf, type Ended, type Inputs, type Step, startStep } from "./runner";

/** What a rollback is given by tests of anything else: a host, a way in, and no gate of its own. */
export function rollbackInputs(bed: Bed, host: BedHost, more: Inputs = {}): Inputs {
  const own = Object.keys(defaultsOf("rollback-ec2"));
  const access = ["hosts", "ssh-key", "ssh-known-hosts"];
  const basic = Object.entries(basicInputs(bed, host, "echo1")).filter(([name]) => access.includes(name));
  return Object.fromEntries(
    [...basic, ["app", "web"], ...Object.entries(more)].filter(
      ([name = ""]) => access.includes(name) || own.includes(name),
    ),
  );
}

/** Deploys and rollbacks of one host, with the quickest gates. */
export class There extends Quick {
  readonly #bed: Bed;
  readonly #host: BedHost;

  constructor(bed: Bed, host: BedHost) {
    super(bed, host);
    this.#bed = bed;
    this.#host = host;
  }

  startBack(more: Inputs = {}, env: Inputs = {}): Step {
    return startStep("rollback-ec2", rollbackInputs(this.#bed, this.#host, more), env);
  }

  back(more: Inputs = {}, env: Inputs = {}): Promise<Ended> {
    return this.startBack(more, env).ended;
  }

  /** A rollback that the test goes on from: it must be good. */
  async wentBack(more: Inputs = {}): Promise<Ended> {
    return good(await this.back(more));
  }
}

interface Line {
  readonly release: string;
  readonly result: string;
  readonly reason: string;
  readonly previous: string;
  readonly run: { readonly id: number; readonly actor: string };
}

/** The history on the host itself, oldest first. */
export async function historyOf(host: BedHost, app = "web"): Promise<readonly Line[]> {
  const text = await inBox(host, "cat", `/var/lib/hello-devops/${app}/history`);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}
