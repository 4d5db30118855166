import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { actionFile } from "../support/runner";

type Seen = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Each input of an action, by the file of the test that sees its effect on the host or in a response. */
const deploys: Seen = {
  "inputs-access": {
    hosts: "deploys as the user and to the port in hosts, whatever ssh-user and ssh-port say",
    "ssh-user": "logs in as ssh-user, at ssh-port, where hosts names neither",
    "ssh-port": "logs in as ssh-user, at ssh-port, where hosts names neither",
    "ssh-key": "logs in with ssh-key as it was pasted, and says who was refused with another key",
    "ssh-key-passphrase":
      "opens an encrypted key with ssh-key-passphrase, and without the right one connects to nothing",
    "ssh-known-hosts":
      "takes ssh-known-hosts as lines or as fingerprints, and sends no login to a host with another key",
    "connect-timeout": "gives up after connect-timeout on a host that takes the connection and never speaks",
  },
  "aws-access": {
    "ec2-filters": "deploys by ec2-filters with nothing stored, through ssh-security-group, which is shut behind it",
    "ssh-security-group":
      "deploys by ec2-filters with nothing stored, through ssh-security-group, which is shut behind it",
    address: "reaches an instance at its public or its private address, as address says",
    "aws-region": "asks aws-region before the environment's, and says which region knows no such instance",
  },
  "aws-env": {
    "env-ssm-path": fromAws(),
    "env-secrets-manager": fromAws(),
  },
  "inputs-release": {
    image: "resolves the tag of image once, and runs it by its digest",
    digest: "runs what digest says, whatever the tag of image stands for now",
    app: "names everything after app, so that a second app on an http-port of its own shares nothing with the first",
    "http-port":
      "names everything after app, so that a second app on an http-port of its own shares nothing with the first",
    version: "answers with version in X-Release, and names the release by the first 12 digits of the commit by default",
    "registry-username": "pulls as registry-username with registry-password, and says whom the registry refused",
    "registry-password": "pulls as registry-username with registry-password, and says whom the registry refused",
  },
  "inputs-container": {
    port: "asks for port where the image exposes none or several, and reaches the app on the one that it says",
    env: "carries every value of env into the container as it was written, byte for byte",
    "env-file": "reads env-file from the workspace, and env wins over it",
    command: "runs command in place of the image's own, split as a shell would, with its limits and log options",
    memory: "runs command in place of the image's own, split as a shell would, with its limits and log options",
    cpus: "runs command in place of the image's own, split as a shell would, with its limits and log options",
    "log-options": "runs command in place of the image's own, split as a shell would, with its limits and log options",
    volumes: "mounts volumes, whose data outlives the release, and a :ro one can't be written",
    network: "joins network besides the app's own, and refuses one that the host does not have",
    "stop-timeout": "kills a container that does not end within stop-timeout of its SIGTERM",
    "pre-deploy": "runs pre-deploy once, in the new image with the new env, before the app starts",
    "pre-deploy-timeout": "ends a pre-deploy that takes longer than pre-deploy-timeout, and the live release serves on",
  },
  "inputs-traffic": {
    strategy:
      "with strategy blue-green both releases run during the bake, and traffic-steps 100 moves all requests at once",
    "proxy-image": "runs the proxy from proxy-image, pulled from a mirror with the registry's login",
    "response-timeout":
      "answers 504 after response-timeout, while uploads, events and WebSockets that take longer live on",
    "tunnel-timeout": "closes a WebSocket that was silent for tunnel-timeout",
    "drain-timeout": "lets a request in flight end within drain-timeout, and cuts a longer one when it is over",
    "release-header": "names the release in release-header alone: renamed, never the app's own, and off",
  },
  traffic: {
    "traffic-steps": "a good release gets the share of each step, then all, and no request fails",
    "step-duration": "a good release gets the share of each step, then all, and no request fails",
    "max-error-rate": enough(),
    "min-requests": enough(),
    "max-latency-increase":
      "a release that takes twice as long goes back at 10 % of the traffic, with max-latency-increase alone",
    "on-inconclusive": "without traffic nothing can be said: on-inconclusive decides",
  },
  "inputs-gates": {
    "health-path": checks(),
    "health-host": checks(),
    "health-headers": checks(),
    "health-threshold": checks(),
    "health-interval": checks(),
    "health-status": "stops a release with a status outside health-status",
    "health-body": "stops a release with a body that health-body does not match",
    "health-timeout": "stops a release with an answer later than health-timeout",
    "start-timeout": "waits start-timeout for an app that listens late, and no longer",
    "bake-time": "watches for bake-time, and takes back a release that turns bad within it",
    "verify-command": "runs verify-command after the shift, with URL and without the inputs in its environment",
    "verify-command-timeout": "ends verify-command with its whole process group after verify-command-timeout",
  },
  "inputs-safety": {
    "lock-timeout": "waits lock-timeout for another deploy, says who holds the lock, and goes on when it is free",
    lease: "undoes the deploy of a runner that fell silent, once its lease has run out",
    "keep-releases": "keeps keep-releases committed releases: containers, folders and images of older ones go",
    "min-free-disk": "refuses to pull where less than min-free-disk is free",
    "allow-older": "refuses a run older than the live one, and deploys it with allow-older",
    force: "starts a release that runs already anew with force, and only then",
    "keep-failed": "leaves the stopped container of a failed deploy with keep-failed, until the next good one",
    "dry-run": "says with dry-run what the next deploy would do, and changes nothing",
  },
  adopt: {
    adopt: "takes the place of a container made by hand: it is the previous release, stopped and kept, and stays so",
  },
  "aws-alarms": {
    alarms: "an alarm that goes red in the bake puts the release back at once, with AWS's reason",
  },
  fleet: {
    "wave-size":
      "with wave-size 1 the second host gets traffic only when the first was watched, and nothing is committed before",
  },
  "inputs-report": {
    summary: "writes a summary with what runs, the timeline and the gates, and none when summary is false",
    "github-token": "lists the commits since the release before with github-token, and asks nobody without it",
  },
};

function fromAws(): string {
  return "takes env-ssm-path, env-secrets-manager, env-file and env, each of which wins over those before";
}

function enough(): string {
  return "min-requests and max-error-rate say what is enough to go back for";
}

function checks(): string {
  return "asks health-path with health-host and health-headers, health-threshold times in a row, health-interval apart";
}

const access =
  "gets in as hosts, ssh-user, ssh-port, ssh-key and ssh-key-passphrase say, to a host of ssh-known-hosts alone";
const checked =
  "asks health-path with health-host and health-headers, health-threshold times in quick succession, and under traffic health-interval apart";
const verifiedByCommand =
  "runs verify-command with URL before it commits, and goes back when it fails or outlasts verify-command-timeout";
const summarised =
  "writes a summary, with the commits that are taken back by github-token, and none when summary is false";

const byAws =
  "deploys, verifies and rolls back alike: by ec2-filters in aws-region, at address, through ssh-security-group";

const rollbacks: Seen = {
  "aws-access": {
    "ec2-filters": byAws,
    "ssh-security-group": byAws,
    address: byAws,
    "aws-region": byAws,
  },
  "rollback-inputs": {
    hosts: access,
    "ssh-user": access,
    "ssh-port": access,
    "ssh-key": access,
    "ssh-key-passphrase": access,
    "ssh-known-hosts": access,
    "connect-timeout": "gives up after connect-timeout on a host that never speaks",
    app: "brings back a release of app, and leaves another app on the host alone",
    to: "brings back what to names: a commit's beginning, a digest, or steps back",
    reason: "keeps reason in the host's history, and tells it in releases",
    list: "tells with list what there is to go back to and what happened, and changes nothing",
    "dry-run": "says with dry-run what it would do, and changes nothing",
    "health-path": checked,
    "health-host": checked,
    "health-headers": checked,
    "health-threshold": checked,
    "health-interval": checked,
    "health-status": "stops at a status outside health-status, once start-timeout is over",
    "health-body": "stops at a body that health-body does not match, once start-timeout is over",
    "health-timeout": "stops at an answer later than health-timeout, once start-timeout is over",
    "start-timeout": "stops at a status outside health-status, once start-timeout is over",
    "bake-time": "watches for bake-time, and takes back a release that turns bad within it",
    "verify-command": verifiedByCommand,
    "verify-command-timeout": verifiedByCommand,
    "lock-timeout": "waits lock-timeout for a deploy or another rollback, and says who holds the lock",
    lease: "undoes the rollback of a runner that fell silent, once its lease has run out",
    summary: summarised,
    "github-token": summarised,
  },
  fleet: {
    "wave-size": "a rollback brings both hosts back, with wave-size 1 one after the other, and commits both at the end",
  },
};

const expectations = "holds answers to verify-status, verify-body and verify-json, and sends verify-headers";

/** Besides those of deploy-ec2, which it has word for word (test/unit/github/deploy-and-verify.test.ts). */
const verified: Seen = {
  "deploy-and-verify": {
    "verify-url":
      "asks verify-url once all traffic has moved, and commits what answers right under the new release's name",
    "verify-status": expectations,
    "verify-body": expectations,
    "verify-json": expectations,
    "verify-headers": expectations,
    "verify-timeout": "waits verify-timeout for a URL that is late, and no longer",
    "verify-min-certificate-days": "asks for verify-min-certificate-days of the server's certificate",
  },
};

const inputsOf = (action: string): string[] => {
  const { inputs } = parse(readFileSync(actionFile(action), "utf8")) as { inputs: Record<string, unknown> };
  return Object.keys(inputs);
};
const deployInputs = inputsOf("deploy-ec2");

const actions: readonly (readonly [action: string, seenIn: Seen, others: readonly string[]])[] = [
  ["deploy-ec2", deploys, []],
  ["rollback-ec2", rollbacks, []],
  ["deploy-and-verify", verified, deployInputs],
];

test.each(actions)(
  "every input of %s has an end-to-end test that sees its effect, and no other name has one",
  (action, seenIn, others) => {
    const seen = Object.values(seenIn).flatMap((table) => Object.keys(table));
    expect(seen.sort()).toEqual(
      inputsOf(action)
        .filter((name) => !others.includes(name))
        .sort(),
    );
  },
);

for (const [file, table] of [deploys, rollbacks, verified].flatMap((seen) => Object.entries(seen)))
  test(`the tests that ${file}.test.ts is said to hold are there, and name their input`, () => {
    const source = readFileSync(join(__dirname, `${file}.test.ts`), "utf8");
    const titles = titlesIn(source);
    for (const [input, title] of Object.entries(table)) {
      expect(titles).toContain(title);
      expect(source).toMatch(new RegExp(`\\b${input}\\b`));
    }
  });

/** What is between the quotes of `test(...)`; a title with `${what}` stands for one of each row of the table above it. */
function titlesIn(source: string): string[] {
  const plain = [...source.matchAll(/^test\(\s*"((?:[^"\\]|\\.)*)"/gm)].map(([, title = ""]) => title);
  const patterns = [...source.matchAll(/^ {2}test\(`([^`]*)\$\{what\}([^`]*)`/gm)];
  const rows = [...source.matchAll(/^ {2}\[\s*"((?:[^"\\]|\\.)*)"/gm)].map(([, row = ""]) => row);
  const filled = patterns.flatMap(([, before = "", after = ""]) => rows.map((row) => `${before}${row}${after}`));
  return [...plain, ...filled];
}
