// A repository with Terraform files that calls our workflows, and the world that they plan for: a state, and what a file says.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { root, type Workflow } from "../unit/workflows/files";
import { type Asked, Caller, type Ran } from "./act";
import type { PlayedGithub } from "./played-github";

const { stdout } = spawnSync("terraform", ["version", "-json"], { encoding: "utf8" });
const version = stdout ? (JSON.parse(stdout) as { terraform_version: string }).terraform_version : "";

const PASSWORD = "hunter2hunter2";
export const TOKEN = "ghs_0123456789abcdef";
/** Of no variable that is marked as sensitive. */
export const MAIL = "you@example.com";
const secrets = { TF_VARS: `password = "${PASSWORD}"\nmail = "${MAIL}"\n`, GITHUB_TOKEN: TOKEN };
const ROLE = "arn:aws:iam::123456789012:role";

export class TerraformCaller extends Caller {
  readonly #world = mkdtempSync(join(tmpdir(), "hello-devops-world-"));
  readonly #state = join(this.#world, "terraform.tfstate");

  constructor(readonly github: PlayedGithub) {
    super();
    this.says("1");
    this.declare(this.resource("disk"));
  }

  /** What the world says that the plan reads. */
  says(size: string): void {
    writeFileSync(join(this.#world, "size"), size);
  }

  /** A resource that is in the state alone. `more` are arguments of it. */
  resource(name: string, more = ""): string {
    return `resource "terraform_data" "${name}" {
  input = { size = file("${join(this.#world, "size")}"), password = var.password, mail = var.mail }
  ${more}
}`;
  }

  declare(...resources: readonly string[]): void {
    const head = `terraform {\n  backend "local" {}\n}\nvariable "mail" {}\nvariable "password" {\n  sensitive = true\n}`;
    this.write("terraform/main.tf", [head, ...resources, ""].join("\n"));
  }

  /** The names of the resources in the state. */
  get made(): readonly string[] {
    if (!existsSync(this.#state)) return [];
    const { resources } = JSON.parse(readFileSync(this.#state, "utf8")) as { resources: { name: string }[] };
    return resources.map(({ name }) => name).sort();
  }

  /** What a person does by hand while a run waits for an approval: after the first plan of the next run this is the world. */
  changesAfterThePlan(size: string): Readonly<Record<string, string>> {
    const once = join(this.#world, "once");
    const { stdout: real } = spawnSync("which", ["terraform"], { encoding: "utf8" });
    const script = `#!/bin/bash
${real.trim()} "$@" || exit
if [[ $* == *" state pull"* && ! -e ${once} ]]; then touch ${once} && printf '%s' '${size}' >${join(this.#world, "size")}; fi
`;
    return { terraform: script };
  }

  /** Calls one of our workflows, and has a job wait for it. */
  calls(workflow: "terraform" | "drift", given: object, asked: Partial<Asked> = {}): Promise<Ran> {
    const inputs = { "terraform-version": version, "backend-config": `path=${this.#state}` };
    const roles = workflow === "terraform" ? { "apply-role": `${ROLE}/apply` } : {};
    const called = {
      uses: `org/hello-devops/.github/workflows/${workflow}.yml@v1`,
      with: { ...inputs, ...roles, "plan-role": `${ROLE}/plan`, ...given },
      secrets: { "tf-vars": secret("TF_VARS"), ...(workflow === "drift" && driftSecrets) },
    };
    const after = { needs: "it", "runs-on": "ubuntu-24.04", steps: [{ run: "true" }] };
    const on = ["push", "pull_request"];
    this.write(".github/workflows/caller.yml", stringify({ name: "Caller", on, jobs: { it: called, after } }));
    this.commit();
    return this.run({
      workflow: "caller.yml",
      api: this.github.url,
      ...asked,
      secrets: { ...secrets, ...asked.secrets },
    });
  }

  /** Runs one of the files to copy, with a state that is here and the Terraform that is here. */
  runs(file: string, asked: Partial<Asked> = {}): Promise<Ran> {
    const document = parseDocument(readFileSync(join(root, "workflows", file), "utf8"));
    for (const name of Object.keys((document.toJS() as Workflow).jobs)) {
      document.setIn(["jobs", name, "with", "backend-config"], `path=${this.#state}`);
      document.setIn(["jobs", name, "with", "terraform-version"], version);
    }
    this.write(`.github/workflows/${file}`, document.toString());
    this.commit();
    return this.run({ workflow: file, api: this.github.url, ...asked, secrets: { ...secrets, ...asked.secrets } });
  }

  override end(): void {
    super.end();
    rmSync(this.#world, { recursive: true, force: true });
  }
}

const secret = (name: string): string => `\${{ secrets.${name} }}`;
const driftSecrets = { "ssh-key": secret("SSH_KEY"), "slack-webhook-url": secret("SLACK_WEBHOOK_URL") };

/** In what a person reads. */
export const tellsThePassword = ({ log }: Ran): boolean =>
  log.replace(/^.*(add-mask|⚙ {2}\*\*\*).*$/gm, "").includes(PASSWORD);

/** What terraform/bootstrap has a person set. */
export const variables = {
  ...{ TF_PLAN_ROLE: `${ROLE}/plan`, TF_APPLY_ROLE: `${ROLE}/apply`, DEPLOY_ROLE: `${ROLE}/deploy` },
  ...{ AWS_REGION: "us-east-1", TF_STATE_BUCKET: "acme-terraform-state" },
};

export const pull = (from = "acme/shop"): Partial<Asked> => ({
  event: "pull_request",
  payload: { number: 7, pull_request: { number: 7, head: { sha: "b".repeat(40), repo: { full_name: from } } } },
});
