// The role that bootstrap makes for deploys may do what docs/access.md says a step asks for: no less, no more.
import { afterAll, beforeAll, describe, expect, jest } from "@jest/globals";
import { Moto } from "../bed/aws/moto";
import { actionsOf } from "../support/policy";
import { missing } from "./terraform";
import { titled, withTerraform } from "./with-terraform";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const repositories = [{ name: "acme/web" }];
const env = { env_ssm_paths: ["/web/prod"], env_secrets: ["web/prod/database"], ecr_repositories: ["web"] };

interface Planned {
  readonly resource_changes: readonly { readonly address: string; readonly change: { readonly after: unknown } }[];
}
interface Policy {
  readonly Statement: readonly { readonly Action: string | readonly string[] }[];
}

const sorted = (actions: readonly string[]): readonly string[] => [...new Set(actions)].sort();
const documented = (...marks: readonly string[]) => sorted(marks.flatMap((mark) => actionsOf("docs/access.md", mark)));

describe("the role deploy", () => {
  let moto: Moto;
  let bootstrap: Workspace;

  beforeAll(async () => {
    if (missing !== "") return;
    moto = await Moto.start();
    bootstrap = new Workspace("terraform/bootstrap", { aws: moto.endpoint });
    await bootstrap.init();
  });

  afterAll(async () => {
    bootstrap?.end();
    await moto?.stop();
  });

  async function allowed(variables: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    bootstrap.set(variables);
    await bootstrap.plan('-target=aws_iam_policy.this["deploy"]');
    const { resource_changes } = JSON.parse(await bootstrap.terraform("show", "-json", "the.tfplan")) as Planned;
    const made = resource_changes.find(({ address }) => address === 'aws_iam_policy.this["deploy"]')?.change.after;
    const { Statement } = JSON.parse((made as { readonly policy: string }).policy) as Policy;
    return sorted(Statement.flatMap(({ Action }) => Action));
  }

  withTerraform(titled("may do what a deploy with alarms asks for, and nothing else"), async () => {
    expect(await allowed({ repositories })).toEqual(documented("policy", "policy-of-alarms"));
  });

  withTerraform(titled("may read env and pull from ECR where these are named"), async () => {
    expect(await allowed({ repositories, ...env })).toEqual(documented("policy", "policy-of-alarms", "policy-of-env"));
  });
});
