import { expect, test } from "@jest/globals";
import { readDeployInputs } from "../../../src/github/inputs";
import { actionYml, refusal, source } from "./deploy-inputs";

const mayBeBlank = [
  ...["ssh-key-passphrase", "digest", "app", "version", "registry-username", "registry-password", "port", "env"],
  ...["env-file", "command", "volumes", "network", "memory", "cpus", "pre-deploy", "health-host", "health-headers"],
  ...["health-body", "verify-command", "adopt", "github-token", "ec2-filters", "aws-region", "ssh-security-group"],
  ...["env-ssm-path", "env-secrets-manager", "alarms", "max-latency-increase"],
];
/** Of instances AWS says them; the host of these tests has an address. */
const blankForInstances = ["hosts", "ssh-key", "ssh-known-hosts"];

test("an input may be blank when its default is, the token apart, and no other", () => {
  const refused = Object.keys(actionYml.inputs).filter((name) => refusal({ [name]: "" }) !== undefined);
  const blankDefault = Object.entries(actionYml.inputs).filter(([, field]) => field.default === "");
  expect([...blankDefault.map(([name]) => name), "github-token"].sort()).toEqual(
    [...mayBeBlank, ...blankForInstances].sort(),
  );
  expect(refused.sort()).toEqual(
    Object.keys(actionYml.inputs)
      .filter((name) => !mayBeBlank.includes(name))
      .sort(),
  );
});

const secret = "s3cret-";
test.each(["ssh-key-passphrase", "registry-password", "env", "health-headers", "command", "pre-deploy"])(
  "never repeats what a wrong %s holds",
  (name) => {
    for (const text of [`${secret}\n'${secret}`, `${secret}\0`, `${secret}:\n::${secret}`])
      expect(refusal({ [name]: text, image: "" })).not.toContain(secret);
  },
);

test("says what to write when the repository makes no name for the app", () => {
  expect(() => readDeployInputs(source({}, { GITHUB_REPOSITORY: "acme/..." }))).toThrow(
    'app: it is blank, and the repository\'s name, "...", makes no name. Write one.',
  );
});

test("asks for a version where there is no commit", () => {
  expect(() => readDeployInputs(source({}, { GITHUB_SHA: "" }))).toThrow(
    "version: it is blank, and there is no commit (GITHUB_SHA is not set). Write one.",
  );
});
