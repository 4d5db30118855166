import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { Quick } from "../support/quick";
import { titled, withTerraform } from "../terraform/with-terraform";
import type { Ran } from "./act";
import { varsFor } from "./callers";
import { patchedAct } from "./patched-act";
import { PlayedGithub } from "./played-github";
import { TerraformCaller, TOKEN, tellsThePassword, variables } from "./terraform-caller";

jest.setTimeout(120_000);
const bed = theBed();
const host = myHost(bed);
const [older, newer] = ["a".repeat(40), "b".repeat(40)] as const;
const [infrastructure, hosts] = ["it/Drift/Infrastructure", "it/Drift/Hosts of production"];
const good = { [infrastructure]: "success", [hosts]: "success", "Caller/after": "success" };
const messages: string[] = [];
const slack = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  const { text: what, attachments } = JSON.parse(text) as { text: string; attachments: { text: string }[] };
  messages.push(`${what}\n${attachments[0]?.text}`);
  response.end("ok");
});
let github: PlayedGithub;
let caller: TerraformCaller;

beforeAll(patchedAct, 600_000);
beforeAll(async () => {
  await resetHost(host);
  github = await PlayedGithub.start(TOKEN);
  await new Promise<void>((listening) => slack.listen(0, "127.0.0.1", listening));
  await new Quick(bed, host).deployed("echo1", { version: older, app: "shop" });
}, 120_000);
beforeEach(async () => {
  caller = new TerraformCaller(github);
  expect((await caller.calls("terraform", { command: "apply", environment: "infrastructure" })).code).toBe(0);
  messages.length = 0;
});
afterEach(() => caller.end());
afterAll(async () => {
  github.end();
  slack.close();
  await resetHost(host);
}, 60_000);

const looks = (vars = varsFor(host)): Promise<Ran> => {
  const hook = `http://127.0.0.1:${(slack.address() as AddressInfo).port}/T0/B0/path`;
  const secrets = { SSH_KEY: readFileSync(host.keyFile, "utf8"), SLACK_WEBHOOK_URL: hook };
  return caller.calls("drift", { environment: "production", app: "shop" }, { vars, secrets });
};
const deployed = (sha: string, ...states: string[]) => ({ sha, environment: "production", states });

withTerraform(titled("a night on which nothing has drifted is green, and nobody is told"), async () => {
  // a deploy that failed since went back, and other environments are other hosts
  github.deployments = [
    { ...deployed(newer, "success"), environment: "staging" },
    deployed(newer, "failure", "in_progress"),
    deployed(older, "inactive", "success"),
  ];
  const ran = await looks();
  expect(ran.jobs).toEqual(good);
  expect(messages).toEqual([]);
  expect(ran.summary).toContain(`### ✅ Each host serves the last deploy: ${older.slice(0, 12)}`);
});

withTerraform(
  titled(
    "infrastructure that has changed is red, and Slack is told what is to be done; the hosts are looked at all the same",
  ),
  async () => {
    github.deployments = [deployed(older, "success")];
    caller.says("2");
    const ran = await looks();
    expect(ran.jobs).toEqual({ ...good, [infrastructure]: "failure", "Caller/after": "skipped" });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toContain("acme/shop, infrastructure has drifted");
    expect(messages[0]).toContain("What AWS has is not what main says: 1 to update.");
    expect(tellsThePassword(ran)).toBe(false);
  },
);

withTerraform(
  titled("infrastructure that can't be planned is red, and Slack is told which command failed"),
  async () => {
    github.deployments = [deployed(older, "success")];
    caller.write("terraform/more.tf", "resource {}\n");
    const ran = await looks();
    expect(ran.jobs).toEqual({ ...good, [infrastructure]: "failure", "Caller/after": "skipped" });
    expect(messages).toEqual([expect.stringContaining("infrastructure could not be looked at")]);
    expect(messages[0]).toContain("Terraform made no plan: terraform init failed.");
  },
);

withTerraform(
  titled("a host that does not serve what was deployed last is red, and Slack is told which and what"),
  async () => {
    github.deployments = [deployed(newer, "success"), deployed(older, "inactive", "success")];
    const ran = await looks();
    expect(ran.jobs).toEqual({ ...good, [hosts]: "failure", "Caller/after": "skipped" });
    const said = `${host.address} serves ${older.slice(0, 12)}; the last deploy was ${newer.slice(0, 12)}.`;
    expect(ran.log).toContain(`::error title=Hosts have drifted::${said}`);
    expect(messages).toEqual([expect.stringContaining(said)]);
  },
);

withTerraform(titled("a host that is another one than it was is red, and Slack is told why"), async () => {
  github.deployments = [deployed(older, "success")];
  const ran = await looks({ ...varsFor(host), SSH_KNOWN_HOSTS: `SHA256:${"A".repeat(43)}` });
  expect(ran.jobs).toEqual({ ...good, [hosts]: "failure", "Caller/after": "skipped" });
  expect(messages).toEqual([expect.stringContaining("hosts of production could not be looked at")]);
  expect(messages[0]).toContain("which is not the one in ssh-known-hosts");
});

withTerraform(titled("drift.yml looks at both, each by the role that may"), async () => {
  github.deployments = [deployed(older, "success")];
  const ran = await caller.runs("drift.yml", { event: "workflow_dispatch", vars: { ...variables, ...varsFor(host) } });
  expect(ran.jobs).toEqual({ "Drift/Drift/Infrastructure": "success", "Drift/Drift/Hosts of production": "failure" });
  const sessions = [...ran.log.matchAll(/^Drift\/Drift\/(\w+).*set-env:: AWS_SESSION_TOKEN=session-of-\S+\/(\w+)$/gm)];
  expect(new Set(sessions.map(([, job, role]) => `${job} as ${role}`))).toEqual(
    new Set(["Infrastructure as plan", "Hosts as deploy"]),
  );
  expect(ran.log).toContain("ssh-key: it is blank"); // this host is no instance, which AWS would let the job in to
});
