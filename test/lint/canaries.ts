// Files with one fault each, and what each linter says of it: one that is silent of all of them sees nothing at all.
// What none of them sees is looked for in test/unit/workflows.
import { stringify } from "yaml";
import type { Linter, Texts } from "./linters";

interface Canary {
  readonly texts: Texts;
  /** the words that name the fault, of each linter that sees it */
  readonly seen: Partial<Readonly<Record<Linter, string>>>;
}
type Words = Canary["seen"];
type Node = Readonly<Record<string, unknown>>;

const expression = (text: string): string => `\${{ ${text} }}`;
const url = "https://shop.example.com/health";

function workflow(jobs: Node, seen: Words, on: Node = { push: null }): Canary {
  const named = Object.entries(jobs).map(([id, job]) => [id, { name: "A job", permissions: {}, ...(job as Node) }]);
  const top = { name: "Canary", on, permissions: {}, concurrency: { group: "canary", "cancel-in-progress": true } };
  const text = stringify({ ...top, jobs: Object.fromEntries(named) }, { lineWidth: 0 });
  return { texts: { ".github/workflows/canary.yml": text.replaceAll(/"(\S+@[0-9a-f]{40} # \S+)"/g, "$1") }, seen };
}

const calls = (name: string, given: Node): Node => ({ uses: `$/.github/workflows/${name}.yml`, ...given });
const call = (name: string, given: Node, seen: Words): Canary => workflow({ call: calls(name, given) }, seen);

function runs(step: Node | readonly Node[], more: Node = {}): Node {
  const steps = [step].flat().map((it) => ({ name: "A step", ...it }));
  return { ...more, "runs-on": "ubuntu-24.04", "timeout-minutes": 5, steps };
}
const oneStep = (step: Node | readonly Node[], seen: Words, more: Node = {}): Canary =>
  workflow({ one: runs(step, more) }, seen);
const reads = (text: string): Node => ({ run: 'echo "$READ"', env: { READ: expression(text) } });
const nothing: Node = { run: "true # nothing" };

const action = (more: Node): Texts => ({
  "actions/canary/action.yml": stringify({ name: "Canary", description: "It has a fault.", ...more }),
});

/** None of ours does. */
const [needsAKey = ""] = Object.values(
  workflow({ one: runs(nothing) }, {}, { workflow_call: { secrets: { "ssh-key": { required: true } } } }).texts,
);

const made: Readonly<Record<string, Canary>> = {
  "a called workflow misses an input": call(
    "verify",
    {},
    {
      actionlint: 'input "url" is required',
      languageService: "Input url is required",
    },
  ),
  "a called workflow misses a secret": {
    texts: { ...call("canary-called", {}, {}).texts, ".github/workflows/canary-called.yml": needsAKey },
    seen: {
      actionlint: 'secret "ssh-key" is required',
      languageService: "Secret ssh-key is required",
    },
  },
  "a called workflow gets an input that it does not have": call(
    "verify",
    { with: { url, uri: url } },
    {
      actionlint: 'input "uri" is not defined',
      languageService: "Invalid input, uri",
    },
  ),
  "a called workflow gets text for a number": call(
    "verify",
    { with: { url, "timeout-minutes": "soon" } },
    {
      actionlint: 'input "timeout-minutes" is typed as number',
    },
  ),
  "a called workflow gets text for a boolean": call("verify", { with: { url, fail: "soon" } }, {}),
  "a called workflow gets what is in env": call(
    "verify",
    { with: { url: expression("env.URL") } },
    {
      actionlint: 'context "env" is not allowed here',
      languageService: "Unrecognized named-value: 'env'",
    },
  ),
  "a called workflow gets a secret as an input": call(
    "verify",
    { with: { url, body: expression("secrets.BODY") } },
    {
      actionlint: 'context "secrets" is not allowed here',
      languageService: "Unrecognized named-value: 'secrets'",
    },
  ),
  "a called workflow asks for more than it is granted": call(
    "rollback",
    { with: { environment: "production" }, secrets: { "ssh-key": expression("secrets.SSH_KEY") } },
    {},
  ),
  "a called workflow has no such output": workflow(
    {
      first: calls("verify", { with: { url } }),
      second: runs(reads("needs.first.outputs.statsu"), { needs: "first" }),
    },
    { actionlint: 'property "statsu" is not defined', languageService: "Context access might be invalid: statsu" },
  ),
  "a job has no such output": workflow(
    {
      first: runs(nothing, { outputs: { digest: "none" } }),
      second: runs(reads("needs.first.outputs.digset"), { needs: "first" }),
    },
    { actionlint: 'property "digset" is not defined', languageService: "Context access might be invalid: digset" },
  ),
  "a job reads one that it does not wait for": workflow(
    { first: runs(nothing, { outputs: { digest: "none" } }), second: runs(reads("needs.first.outputs.digest")) },
    { actionlint: 'property "first" is not defined', languageService: "Context access might be invalid: first" },
  ),
  "an action of ours misses an input": oneStep(
    { uses: "$/actions/verify-health" },
    { actionlint: 'missing input "url"', languageService: "Missing required input `url`" },
  ),
  "an action of ours gets an input that it does not have": oneStep(
    { uses: "$/actions/verify-health", with: { url, uri: url } },
    { actionlint: 'input "uri" is not defined', languageService: "Invalid action input 'uri'" },
  ),
  "an action of ours has no such output": oneStep(
    [{ id: "first", uses: "$/actions/verify-health", with: { url } }, reads("steps.first.outputs.helthy")],
    { actionlint: 'property "helthy" is not defined' },
  ),
  "there is no such action": oneStep({ uses: "$/actions/verify" }, { languageService: "Unable to resolve action" }),
  "an action of others gets an input that it does not have": oneStep(
    {
      uses: "actions/checkout@df4cb1c069e1874edd31b4311f1884172cec0e10 # v6.0.3",
      with: { "persist-credentials": false, brunch: "main" },
    },
    { actionlint: 'input "brunch" is not defined in action "actions/checkout@v6"' },
  ),
  "a job asks for a secret in its if": oneStep(
    nothing,
    { actionlint: 'context "secrets" is not allowed here', languageService: "Unrecognized named-value: 'secrets'" },
    { if: "secrets.SSH_KEY != ''" },
  ),
  "a secret is read that no caller can give": workflow(
    { one: runs(reads("secrets.ssh-kye")) },
    { actionlint: 'property "ssh-kye" is not defined' },
    { workflow_call: { secrets: { "ssh-key": { required: true } } } },
  ),
  "a script splits what it should quote": oneStep({ run: "rm -rf $HOME/app" }, { actionlint: "SC2086" }),
  "a script has a stranger's words in it": oneStep(
    { run: `echo "${expression("github.event.head_commit.message")}"` },
    { actionlint: "is potentially untrusted", zizmor: "template-injection" },
  ),
  "a job waits for its own run": oneStep(
    nothing,
    { languageService: "This will cause a deadlock" },
    { concurrency: "canary" },
  ),
  "an action reads a secret": {
    texts: action({
      runs: { using: "composite", steps: [{ name: "A step", shell: "bash", ...reads("secrets.SSH_KEY") }] },
    }),
    seen: { languageService: "Unrecognized named-value: 'secrets'" },
  },
  "an action misspells what it says of an input": {
    texts: {
      ...action({ inputs: { url: { requierd: true } }, runs: { using: "composite", steps: [] } }),
      ...oneStep({ uses: "$/actions/canary" }, {}).texts,
    },
    seen: { actionlint: 'unexpected key "requierd"' },
  },
};

/** Each fault, and a file of its own for it: so a linter looks at all of them at once. */
export const canaries = Object.entries(made).map(([fault, { texts, seen }], n) => {
  const apart = Object.entries(texts).map((path) => path.map((part) => part.replaceAll("canary", `canary-${n}`)));
  return { fault, seen, texts: Object.fromEntries(apart) as Texts };
});
