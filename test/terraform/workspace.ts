// A copy of one of our Terraform roots in a folder of its own, and the commands that are given there.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { checkout } from "../bed/bed";
import { locked } from "../bed/lock";
import { RunError, run } from "../bed/run";
import { cliConfiguration, environment } from "./terraform";

export type Root = "terraform" | "terraform/bootstrap";

export interface Settings {
  /** Where AWS is played: the endpoint of moto. Without it Terraform has no credentials. */
  readonly aws?: string;
  /** Where the state is: as the root says, or in the folder. */
  readonly state?: "local";
}

/** What a plan would do, by address: `{ "aws_instance.this": "update" }`; outputs are `output.NAME`. `{}` = nothing. */
export type Plan = Readonly<Record<string, string>>;

const PLAYED_ACCOUNT = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIATESTONLY",
  AWS_SECRET_ACCESS_KEY: "a-secret-of-the-tests",
};

/** moto denies what a bucket's statement denies under a condition, whatever the condition: so this one denies what nobody asks for. */
const forMoto: Readonly<Partial<Record<Root, string>>> = {
  "terraform/bootstrap": `data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:PutObjectLegalHold"]
    resources = ["\${aws_s3_bucket.this[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
`,
};

/** Not what a developer's own runs left in the checkout. */
const isOurs = (path: string): boolean => !/^\.terraform$|\.tfstate|\.tfvars(\.json)?$|\.tfplan$/.test(basename(path));

export class Workspace {
  readonly #top = mkdtempSync(join(tmpdir(), "hello-devops-terraform-"));
  readonly #env: NodeJS.ProcessEnv;
  #variables: Readonly<Record<string, unknown>> = {};

  /** Beside `.tf` files of this root the copy has the folders below it. */
  constructor(
    readonly root: Root,
    { aws, state }: Settings = {},
  ) {
    cpSync(join(checkout, "terraform"), join(this.#top, "terraform"), { recursive: true, filter: isOurs });
    const settings = join(this.#top, "settings.tfrc");
    writeFileSync(settings, cliConfiguration());
    this.#env = environment({
      TF_CLI_CONFIG_FILE: settings,
      ...(aws !== undefined && { ...PLAYED_ACCOUNT, AWS_ENDPOINT_URL: aws }),
    });
    const override = aws === undefined ? undefined : forMoto[root];
    if (override) this.write("moto_override.tf", override);
    if (state === "local") this.write("state_override.tf", 'terraform {\n  backend "local" {}\n}\n');
  }

  get folder(): string {
    return join(this.#top, this.root);
  }

  /** Adds a file to the copy, or changes one. */
  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Sets these variables from now on; the others stay as they are. */
  set(variables: Readonly<Record<string, unknown>>): void {
    this.#variables = { ...this.#variables, ...variables };
    this.write("terraform.tfvars.json", JSON.stringify(this.#variables));
  }

  /** @throws what Terraform said */
  terraform(...words: string[]): Promise<string> {
    return run("terraform", words, { cwd: this.folder, env: this.#env });
  }

  /** One at a time: the folder in which downloaded providers are kept is not made for two. */
  async init(...words: string[]): Promise<void> {
    await locked("terraform init", () => this.terraform("init", "-input=false", "-no-color", ...words));
  }

  async plan(...words: string[]): Promise<Plan> {
    const planning = this.terraform("plan", ...asked, "-detailed-exitcode", "-out=the.tfplan", ...words);
    const changes = await planning.then(
      () => false,
      (error: unknown) => {
        if (error instanceof RunError && error.code === 2) return true;
        throw error;
      },
    );
    return changes ? readPlan(JSON.parse(await this.terraform("show", "-json", "the.tfplan"))) : {};
  }

  async apply(...words: string[]): Promise<void> {
    await this.terraform("apply", ...asked, "-auto-approve", ...words);
  }

  async destroy(...words: string[]): Promise<void> {
    await this.terraform("destroy", ...asked, "-auto-approve", ...words);
  }

  async outputs<T extends object = Readonly<Record<string, string>>>(): Promise<T> {
    const said = JSON.parse(await this.terraform("output", "-json")) as Readonly<Record<string, { value: unknown }>>;
    return Object.fromEntries(Object.entries(said).map(([name, { value }]) => [name, value])) as T;
  }

  /** The addresses of all that the state holds, data sources apart. */
  async resources(): Promise<readonly string[]> {
    const listed = (await this.terraform("state", "list")).split("\n");
    return listed.filter((address) => address !== "" && !/(^|\.)data\./.test(address)).sort();
  }

  end(): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}

const asked = ["-input=false", "-no-color", "-lock-timeout=60s"] as const;

interface Change {
  readonly actions: readonly string[];
}

interface Shown {
  readonly resource_changes?: readonly { readonly address: string; readonly change: Change }[];
  readonly output_changes?: Readonly<Record<string, Change>>;
}

function readPlan({ resource_changes = [], output_changes = {} }: Shown): Plan {
  const outputs = Object.entries(output_changes).map(([name, change]) => ({ address: `output.${name}`, change }));
  const changes = [...resource_changes, ...outputs].map(({ address, change }) => [address, did(change)] as const);
  return Object.fromEntries(changes.filter(([, action]) => action !== "no-op" && action !== "read"));
}

/** A replacement is both, in one order or the other. */
const did = ({ actions }: Change): string => (actions.length > 1 ? "replace" : (actions[0] ?? ""));
