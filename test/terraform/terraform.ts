// Terraform as the tests run it: the one on PATH, with a provider from a folder of this machine or from the registry, and with
// nothing of the machine's own settings or AWS account.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../bed/bed";

const NEEDS = [1, 11] as const; // the S3 backend locks by itself since then

/** What of this machine Terraform must not see: a test that reached a real account would cost money. */
export function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_/.test(name));
  const automatic = { TF_IN_AUTOMATION: "true", CHECKPOINT_DISABLE: "true", AWS_EC2_METADATA_DISABLED: "true" };
  const nobody = { AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
  return { ...Object.fromEntries(own), ...automatic, ...nobody, ...more };
}

/** Why the tests can't run Terraform here; blank = they can. */
export const missing = whatIsMissing();

function whatIsMissing(): string {
  const wanted = `Terraform ${NEEDS.join(".")} or later`;
  const asked = spawnSync("terraform", ["version", "-json"], { encoding: "utf8", env: environment({}) });
  if (asked.status !== 0) return `${wanted} is not on PATH`;
  const { terraform_version: version } = JSON.parse(asked.stdout) as { readonly terraform_version: string };
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [first, second] = NEEDS;
  return major > first || (major === first && minor >= second) ? "" : `${wanted} is needed, ${version} is on PATH`;
}

const inFolder = (folder: string): readonly string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];

/** A folder of providers as `terraform providers mirror` makes it, where a machine may have one. */
function mirror(): string | undefined {
  const usual = [
    join(homedir(), ".terraform.d", "plugins"),
    join(homedir(), ".local", "share", "terraform", "plugins"),
    join("/usr", "local", "share", "terraform", "plugins"),
  ];
  const folders = [...usual, ...inFolder("/opt"), ...inFolder(join("/usr", "local", "lib"))];
  return folders.find((folder) => existsSync(join(folder, "registry.terraform.io", "hashicorp", "aws")));
}

/** Terraform's own settings: the text of a CLI configuration file. */
export function cliConfiguration(): string {
  const path = mirror();
  if (path !== undefined)
    return `provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(path)}
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }
}
`;
  const cache = join(cacheFolder, "..", "terraform");
  mkdirSync(cache, { recursive: true });
  return `plugin_cache_dir = ${JSON.stringify(cache)}\n`;
}
