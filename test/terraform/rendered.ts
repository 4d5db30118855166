// What Terraform makes of the host's system, as far as it can be known without AWS: each resource with its values, from
// `terraform test` with a provider that is mocked.
import { parse } from "yaml";
import { Workspace } from "./workspace";

export interface HostFile {
  readonly path: string;
  readonly content: string;
  readonly permissions?: string;
}

export interface Rendered {
  readonly userData: string;
  /** What cloud-init writes, by path. */
  readonly files: Readonly<Record<string, HostFile>>;
  /** The values of the one resource, or of each under for_each, at an address without its key. */
  all<T>(address: string): readonly T[];
}

interface Resource {
  readonly address: string;
  readonly values: unknown;
}

/** A line of `terraform test -json`. */
interface Line {
  readonly "@testrun"?: string;
  readonly test_state?: { readonly root_module: { readonly resources: readonly Resource[] } };
}

const NAME = "rendered.tftest.hcl";

/** Each system with these variables, in the order given. */
export async function rendered(...systems: readonly Readonly<Record<string, unknown>>[]): Promise<readonly Rendered[]> {
  const workspace = new Workspace("terraform");
  try {
    const runs = systems.map((variables, index) => {
      const lines = Object.entries(variables).map(([name, value]) => `    ${name} = ${JSON.stringify(value)}\n`);
      // each with a state of its own: what is only for a first boot would stay as the system before had it
      return `run "system_${index}" {\n  state_key = "system_${index}"\n  variables {\n${lines.join("")}  }\n}\n`;
    });
    workspace.write(`tests/${NAME}`, `mock_provider "aws" {\n  source = "./tests/mocks"\n}\n${runs.join("")}`);
    await workspace.init("-backend=false");
    const said = await workspace.terraform("test", "-json", "-verbose", "-no-color", `-filter=tests/${NAME}`);
    const lines = said.split("\n").map((line) => JSON.parse(line) as Line);
    return systems.map((_, index) => read(lines.filter((line) => line["@testrun"] === `system_${index}`)));
  } finally {
    workspace.end();
  }
}

function read(lines: readonly Line[]): Rendered {
  const resources = lines.flatMap(({ test_state }) => test_state?.root_module.resources ?? []);
  const all = <T>(address: string) =>
    resources.filter((it) => it.address.replace(/\[.*\]$/, "") === address).map(({ values }) => values as T);
  const [instance] = all<{ user_data: string }>("aws_instance.this");
  if (!instance) throw new Error(`terraform test told of no instance:\n${JSON.stringify(lines)}`);
  const userData = instance.user_data;
  const { write_files: files } = parse(userData) as { readonly write_files: readonly HostFile[] };
  return { userData, files: Object.fromEntries(files.map((file) => [file.path, file])), all };
}
