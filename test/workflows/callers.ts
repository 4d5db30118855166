import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import type { Bed, BedHost } from "../bed/bed";
import { type Job, root, type Workflow } from "../unit/workflows/files";
import type { Caller } from "./act";

type With = Readonly<Record<string, unknown>>;

/** An app with a test of its own, whose image is one of the bed's: quick to test and to build. */
export function writeApp(caller: Caller, bed: Bed, image: string, folder = "."): void {
  const app = { name: "shop", version: "1.0.0", private: true, scripts: { test: "node --test" } };
  const lock = {
    name: "shop",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: { "": { name: "shop", version: "1.0.0" } },
  };
  caller.write(join(folder, "package.json"), JSON.stringify(app));
  caller.write(join(folder, "package-lock.json"), JSON.stringify(lock));
  caller.write(join(folder, "shop.test.js"), 'require("node:test")("sells", () => {});\n');
  caller.write(join(folder, "Dockerfile"), `FROM ${bed.images[image]?.tag}\nRUN echo ${caller.folder} >/tmp/made-by\n`);
}

/**
 * A ready-to-copy caller, changed as its head asks a user to: its image lies in the bed's registry, which wants a login, and
 * its URL is the host's. The waiting times are short.
 */
export function writeCaller(caller: Caller, bed: Bed, host: BedHost, file: string, more: With = {}): void {
  const document = parseDocument(readFileSync(join(root, "workflows", file), "utf8")); // with its comments: they speak to linters
  const workflow = document.toJS() as Workflow;
  if (workflow.env?.IMAGE) document.setIn(["env", "IMAGE"], placed(workflow.env.IMAGE, "", bed, host));
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const changed = adapted(job, bed, host, more);
    set(document, ["jobs", name], job, changed, ["with", "secrets"]);
    for (const [n, step] of (job.steps ?? []).entries())
      set(document, ["jobs", name, "steps", n], step, changed.steps?.[n] ?? {}, ["with", "run", "env"]);
  }
  caller.write(`.github/workflows/${file}`, document.toString());
}

/** Only what is changed is written anew, for a comment belongs to its node. */
function set(
  document: Document,
  path: readonly (string | number)[],
  before: object,
  after: object,
  parts: string[],
): void {
  for (const part of parts) {
    const [was, is] = [before, after].map((of) => (of as Record<string, unknown>)[part]);
    if (is !== undefined && is !== was) document.setIn([...path, part], document.createNode(is));
  }
}

const secret = (name: string): string => `\${{ secrets.${name} }}`;
const login = { "registry-username": secret("REGISTRY_USERNAME"), "registry-password": secret("REGISTRY_PASSWORD") };

function adapted(job: Job, bed: Bed, host: BedHost, more: With): Job {
  const kind = /workflows\/([a-z]+)\.yml@v1$/.exec(job.uses ?? "")?.[1];
  const given = (from: With = {}) =>
    Object.fromEntries(Object.entries(from).map(([name, value]) => [name, placed(String(value), value, bed, host)]));
  const steps = job.steps?.map((step) => {
    if (step.uses?.startsWith("org/hello-devops"))
      return { ...step, with: { ...given(step.with), ...login, "bake-time": "1s", ...more } };
    if (!step.run?.startsWith("docker login ghcr.io")) return step;
    const run = `docker login ${bed.registry.address} --username "$NAME" --password-stdin <<<"$REGISTRY_TOKEN"`;
    return { ...step, run, env: { NAME: login["registry-username"], REGISTRY_TOKEN: login["registry-password"] } };
  });
  if (!kind) return { ...job, ...(steps ? { steps } : {}) };
  const quick = kind === "pipeline" || kind === "deploy" ? { "bake-time": "1s", "start-timeout": "15s", ...more } : {};
  const secrets = kind === "test" || kind === "rollback" || kind === "verify" ? {} : login;
  return { ...job, with: { ...given(job.with), ...quick }, secrets: { ...job.secrets, ...secrets } };
}

/** Where this worker's callers push to: two of them build at once. */
export const imagesOf = (bed: Bed): string => `${bed.registry.address}/acme-${process.env.JEST_WORKER_ID ?? "1"}`;

function placed(text: string, value: unknown, bed: Bed, host: BedHost): unknown {
  if (text.startsWith("ghcr.io/acme/")) return text.replace("ghcr.io/acme", imagesOf(bed));
  if (/^https:\/\/(staging\.)?shop\.example\.com\//.test(text)) return `${host.url}/health`;
  return value;
}

/** What the callers' heads name. */
export const secretsFor = (bed: Bed, host: BedHost): Readonly<Record<string, string>> => {
  const key = readFileSync(host.keyFile, "utf8");
  const { username, password } = bed.registry;
  return {
    SSH_KEY: key,
    STAGING_SSH_KEY: key,
    PRODUCTION_SSH_KEY: key,
    REGISTRY_USERNAME: username,
    REGISTRY_PASSWORD: password,
  };
};

export const at = ({ address, port }: BedHost): string => `${address}:${port}`;

export const varsFor = (...hosts: readonly BedHost[]): Readonly<Record<string, string>> => ({
  SSH_HOST: hosts.map(at).join(","),
  SSH_KNOWN_HOSTS: hosts.map(({ knownHosts }) => readFileSync(knownHosts, "utf8")).join("\n"),
});

/** pr-checks.yml reads them of the repository. */
export const forDryRun = ({ SSH_HOST = "", SSH_KNOWN_HOSTS = "" }: Readonly<Record<string, string>>) => ({
  DRY_RUN_HOST: SSH_HOST,
  DRY_RUN_KNOWN_HOSTS: SSH_KNOWN_HOSTS,
});
