// The system that Terraform makes, in the AWS of the demo: from an empty account, and back to one.
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { FakeAws } from "../../test/bed/aws/fake-aws";
import { Account } from "../../test/terraform/inventory";
import { Workspace } from "../../test/terraform/workspace";
import type { Play } from "./play";
import { dim, say } from "./screen";

export interface Outputs {
  readonly instance_id: string;
  readonly ec2_filters: string;
  readonly ssh_security_group: string;
  readonly alarm_names: string;
  readonly monthly_cost: { readonly parts: Readonly<Record<string, number | null>>; readonly note: string };
}

/** As bootstrap names it in moto's account. */
const BUCKET = "hello-devops-state-123456789012-us-east-1";

export class System {
  readonly #account: Account;
  readonly #bootstrap: Workspace;
  readonly #main: Workspace;
  #empty: Awaited<ReturnType<Account["inventory"]>> = {};

  constructor({ moto: { endpoint } }: FakeAws) {
    this.#account = new Account(endpoint);
    this.#bootstrap = new Workspace("terraform/bootstrap", { aws: endpoint });
    this.#main = new Workspace("terraform", { aws: endpoint });
  }

  async make(play: Play): Promise<Outputs> {
    play.scene(
      "terraform apply",
      "An empty account. bootstrap/ makes the state's bucket and the roles; terraform/ makes the host and what watches it.",
    );
    this.#empty = await this.#inventory();
    this.#bootstrap.set({ repositories: [{ name: "acme/web" }], force_destroy: true });
    await this.#bootstrap.init();
    await took("apply of bootstrap/", this.#bootstrap.apply());
    await tellWhatIsMade(this.#bootstrap);
    await this.#moveState();
    const { backend_config = "", tfvars = "" } = await this.#bootstrap.outputs();
    this.#main.write("backend.hcl", backend_config);
    this.#main.write("bootstrap.auto.tfvars", tfvars);
    this.#main.set({ ssh_open: false, alert_email: "ops@example.com" });
    await this.#main.init("-backend-config=backend.hcl");
    await took("apply", this.#main.apply());
    await tellWhatIsMade(this.#main);
    const outputs = await this.#main.outputs<Outputs>();
    tellPrice(outputs);
    await this.planIsEmpty(play, "a second plan has nothing to do");
    return outputs;
  }

  async planIsEmpty(play: Play, claim: string): Promise<void> {
    const changes = Object.entries(await this.#main.plan());
    const seen = changes.map(([address, action]) => `${action} ${address}`).join(", ");
    play.claim(claim, seen || "no changes", changes.length === 0);
  }

  async remove(play: Play): Promise<void> {
    play.scene("terraform destroy", "The host's system goes first, then the bucket with its states, and the roles.");
    await took("destroy", this.#main.destroy());
    rmSync(join(this.#bootstrap.folder, "backend.tf"));
    await this.#bootstrap.init("-migrate-state", "-force-copy");
    await this.#account.removeMarkers(BUCKET);
    await took("destroy of bootstrap/", this.#bootstrap.destroy());
    const after = await this.#inventory();
    const differs = Object.keys(after).filter((list) => after[list]?.join() !== this.#empty[list]?.join());
    play.claim("the account is as it was", differs.join(", ") || "nothing is left", differs.length === 0);
  }

  end(): void {
    this.#bootstrap.end();
    this.#main.end();
  }

  /** Of its own bucket, as its page says. */
  async #moveState(): Promise<void> {
    const { backend_tf = "" } = await this.#bootstrap.outputs();
    this.#bootstrap.write("backend.tf", backend_tf);
    await this.#bootstrap.init("-migrate-state", "-force-copy");
  }

  /** Instances and their disks are made by another scene, too. */
  async #inventory() {
    const lists = Object.entries(await this.#account.inventory());
    return Object.fromEntries(lists.filter(([list]) => !/Instances|Volumes/.test(list)));
  }
}

async function took(what: string, work: Promise<void>): Promise<void> {
  const started = performance.now();
  await work;
  say(`  ${dim(`terraform ${what}:`)} done in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

async function tellWhatIsMade(workspace: Workspace): Promise<void> {
  const kinds = (await workspace.resources()).map((address) => address.split(".")[0] ?? "");
  const counted = [...new Set(kinds)].map((kind) => {
    const number = kinds.filter((other) => other === kind).length;
    return number === 1 ? kind : `${number} ${kind}`;
  });
  say(`    ${dim(`${kinds.length} resources: ${counted.join(", ")}`)}`);
}

function tellPrice({ monthly_cost: { parts, note } }: Outputs): void {
  const priced = Object.entries(parts).filter(([, price]) => price !== 0);
  say(`  a month: ${priced.map(([part, price]) => `${part} $${price?.toFixed(2) ?? "?"}`).join(", ")}`);
  say(`  ${note}`);
}
