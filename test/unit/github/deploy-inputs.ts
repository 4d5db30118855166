import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { InputSource } from "../../../src/github/input-source";
import { readDeployInputs } from "../../../src/github/inputs";
import { UserError } from "../../../src/user-error";

export const root = join(__dirname, "../../..");

interface ActionYml {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
}

export const actionYml = parse(readFileSync(join(root, "actions/deploy-ec2/action.yml"), "utf8")) as ActionYml;

export const defaults: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(actionYml.inputs).map(([name, field]) => [name, field.default ?? ""]),
);

export const commit = "0123456789abcdef0123456789abcdef01234567";
export const fingerprint = "SHA256:uNiVztksCsDhcc0u9e8BrXwiVVDVH8gjDFRnJFHmLtU";

/** What the runner passes when a user gives these inputs: the defaults of action.yml fill the rest. */
export function source(
  given: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): InputSource {
  const inputs: Record<string, string> = {
    ...defaults,
    hosts: "203.0.113.7",
    "ssh-key": "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END OPENSSH PRIVATE KEY-----",
    "ssh-known-hosts": fingerprint,
    image: "ghcr.io/acme/shop:1.4",
    "github-token": "",
    ...given,
  };
  return {
    input: (name) => inputs[name] ?? "",
    env: { GITHUB_REPOSITORY: "Acme/Web_Shop", GITHUB_SHA: commit, ...env },
    readWorkspaceFile(path) {
      const text = files[path];
      if (text === undefined) throw new UserError(`There is no file "${path}".`);
      return text;
    },
  };
}

/** What a person is told about these inputs; undefined = they are right. */
export function refusal(given: Record<string, string>): string | undefined {
  try {
    readDeployInputs(source(given));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
