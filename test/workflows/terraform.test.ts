import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import { titled, withTerraform } from "../terraform/with-terraform";
import { patchedAct } from "./patched-act";
import { PlayedGithub } from "./played-github";
import { MAIL, pull, TerraformCaller, TOKEN, tellsThePassword, variables } from "./terraform-caller";

jest.setTimeout(120_000);
let github: PlayedGithub;
let caller: TerraformCaller;

beforeAll(patchedAct, 600_000);
beforeAll(async () => {
  github = await PlayedGithub.start(TOKEN);
});
beforeEach(() => {
  github.comments = [];
  github.asked.length = 0;
  caller = new TerraformCaller(github);
});
afterEach(() => caller.end());
afterAll(() => github.end());

const plan = { command: "plan", environment: "infrastructure" };
const apply = { ...plan, command: "apply" };
const [planned, applied, nothing, after] = [
  "it/Terraform/Plan",
  "it/Terraform/Apply",
  "it/Terraform/Nothing to apply",
  "Caller/after",
];
const good = { [planned]: "success", [applied]: "success", [after]: "success" };
const without = { [planned]: "success", [nothing]: "success", [after]: "success" };
const red = { [planned]: "failure", [nothing]: "skipped", [after]: "skipped" };

withTerraform(
  titled("a pull request gets its plan as one comment, which a newer plan takes the place of"),
  async () => {
    github.comments = [{ id: 100, user: { login: "eve" }, body: "<!-- terraform-plan" }];
    const first = await caller.calls("terraform", plan, pull());
    expect(first.jobs).toEqual(without);
    const [, told] = github.comments.map(({ body }) => body);
    expect(told).toMatch(
      /^<!-- terraform-plan [0-9a-f]{12} -->\n\n### Terraform in `terraform` for infrastructure: 1 to create\n/,
    );
    expect(told).toContain("# terraform_data.disk will be created");
    expect(told).toContain("password = (sensitive value)");
    expect(told).toMatch(/mail +=? *"\*\*\*"/);
    expect(told).not.toContain(MAIL);
    expect(told).toContain(`Commit \`${"b".repeat(12)}\``);
    expect(first.summary).toContain(told);
    caller.declare(caller.resource("disk"), caller.resource("data"));
    const second = await caller.calls("terraform", plan, pull());
    expect(second.jobs).toEqual(without);
    expect(github.comments.map(({ id, body }) => [id, /: (\d to \w+)\n/.exec(body)?.[1]])).toEqual([
      [100, undefined],
      [2, "2 to create"],
    ]);
    expect([first, second].map(tellsThePassword)).toEqual([false, false]);
    expect(caller.made).toEqual([]);
  },
);

withTerraform(
  titled("a comment that another wrote is never taken for the plan's, and a hundred before it hide nothing"),
  async () => {
    await caller.calls("terraform", plan, pull());
    const [mark = ""] = github.comments[0]?.body.split("\n") ?? [];
    const others = Array.from({ length: 100 }, (_, n) => ({ id: 1000 + n, user: { login: "eve" }, body: mark }));
    github.comments = [...others, ...github.comments];
    caller.declare();
    expect((await caller.calls("terraform", plan, pull())).jobs).toEqual(without);
    expect(github.comments).toHaveLength(101);
    expect(github.comments.filter(({ body }) => body !== mark).map(({ id }) => id)).toEqual([1]);
  },
);

withTerraform(
  titled("what was planned is applied, by the role that may, and then nothing is left to do and nobody is asked"),
  async () => {
    const ran = await caller.calls("terraform", apply);
    expect(ran.jobs).toEqual(good);
    expect(caller.made).toEqual(["disk"]);
    const sessions = [
      ...ran.log.matchAll(/^it\/Terraform\/(\w+)\|.*set-env:: AWS_SESSION_TOKEN=session-of-\S+\/(\w+)$/gm),
    ];
    expect(new Set(sessions.map(([, job, role]) => `${job} as ${role}`))).toEqual(
      new Set(["Plan as plan", "Apply as apply"]),
    );
    expect(tellsThePassword(ran)).toBe(false);
    const again = await caller.calls("terraform", apply);
    expect(again.jobs).toEqual(without);
    expect(again.log).toContain("set-output:: changes=0");
  },
);

withTerraform(
  titled("what has changed since the plan is not applied: both hashes are said, and in what the plans differ"),
  async () => {
    const ran = await caller.calls("terraform", apply, { programs: caller.changesAfterThePlan("2") });
    expect(ran.jobs).toEqual({ ...good, [applied]: "failure", [after]: "skipped" });
    const [, first, second] =
      /::error title=Nothing was applied::The plan is not the one .* \((\w{12}) then, (\w{12}) now\)/.exec(ran.log) ??
      [];
    const hashes = [...ran.log.matchAll(/set-output:: hash=(\w{12})/g)].map(([, hash]) => hash);
    expect(new Set(hashes)).toEqual(new Set([first, second]));
    expect(first).not.toBe(second);
    expect(ran.summary).toContain("    terraform_data.disk: to create, with other values of input.size");
    expect(caller.made).toEqual([]);
  },
);

withTerraform(titled("a plan that destroys ends red and is not applied, unless it may"), async () => {
  caller.declare(caller.resource("disk"), caller.resource("old", "triggers_replace = 1"));
  expect((await caller.calls("terraform", apply)).jobs).toEqual(good);
  caller.declare(caller.resource("old", "triggers_replace = 2"));
  const ran = await caller.calls("terraform", apply);
  expect(ran.jobs).toEqual({ [planned]: "failure", [applied]: "skipped", [after]: "skipped" });
  expect(ran.log).toContain("::error title=Nothing is applied::The plan destroys 2, and allow-destroy is false.");
  expect(ran.summary).toContain("**It destroys 2:**\n\n```\nterraform_data.disk\nterraform_data.old\n```");
  expect(caller.made).toEqual(["disk", "old"]);
  expect((await caller.calls("terraform", { ...apply, "allow-destroy": true })).jobs).toEqual(good);
  expect(caller.made).toEqual(["old"]);
});

withTerraform(titled("a pull request that destroys says so in its comment, and is red"), async () => {
  await caller.calls("terraform", apply);
  caller.declare();
  const ran = await caller.calls("terraform", plan, pull());
  expect(ran.jobs).toEqual(red);
  expect(github.comments[0]?.body).toContain("❌ The plan destroys 1, and allow-destroy is false.");
});

withTerraform(
  titled("where Terraform makes no plan, the comment says what it said, and nothing is applied"),
  async () => {
    await caller.calls("terraform", plan, pull());
    caller.write("terraform/more.tf", 'output "a" {\n  value = nobody.knows\n}\n');
    const ran = await caller.calls("terraform", plan, pull());
    expect(ran.jobs).toEqual(red);
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body).toContain(": no plan\n\n❌ Terraform made no plan: terraform validate failed.");
    expect(github.comments[0]?.body).toContain("Reference to undeclared resource");
  },
);

withTerraform(titled("what a plan prints is no word for the runner"), async () => {
  caller.says("x\n::add-mask::terraform_data\n");
  const ran = await caller.calls("terraform", plan);
  expect(ran.jobs).toEqual(without);
  const [before = "", behind = ""] = ran.log.split("::add-mask::terraform_data", 2);
  const [, token] = /[\s\S]*::stop-commands::(\w{32})\n/.exec(before) ?? []; // the last one
  expect(token).toBeDefined();
  expect([before, behind].map((part) => part.includes(`::${token}::`))).toEqual([false, true]);
});

withTerraform(titled("a comment that GitHub does not take ends red and says which permission it needs"), async () => {
  github.refuses = 403;
  const ran = await caller.calls("terraform", plan, pull());
  expect(ran.jobs).toEqual(red);
  expect(ran.log).toContain("::error title=The pull request has no plan::comment: it could not be written");
  github.refuses = undefined;
  expect((await caller.calls("terraform", { ...plan, comment: false }, pull())).jobs).toEqual(without);
  expect(github.comments).toEqual([]);
});

test("a pull request from a fork is planned by nobody, and stays green", async () => {
  const ran = await caller.calls("terraform", apply, pull("eve/shop"));
  expect(ran.jobs).toEqual(without);
  expect(ran.log).toContain("::notice title=Nothing was planned::A pull request from a fork gets no AWS role");
  expect(ran.log).not.toContain("session-of");
  expect(github.asked).toEqual([]);
});

test("a command that is none ends in one sentence, before anything is set up", async () => {
  const ran = await caller.calls("terraform", { ...plan, command: "destroy" });
  expect(ran.jobs).toEqual(red);
  expect(ran.log).toContain('::error title=Nothing was planned::command: expected plan or apply, got "destroy".');
  expect(ran.log).not.toContain("session-of");
});

withTerraform(titled("infrastructure.yml plans a pull request, and applies a push to main"), async () => {
  const proposed = await caller.runs("infrastructure.yml", { vars: variables, ...pull() });
  expect(proposed.jobs).toEqual({
    "Terraform/Terraform/Plan": "success",
    "Terraform/Terraform/Nothing to apply": "success",
  });
  expect(github.comments).toHaveLength(1);
  const pushed = await caller.runs("infrastructure.yml", { vars: variables });
  expect(pushed.jobs).toEqual({ "Terraform/Terraform/Plan": "success", "Terraform/Terraform/Apply": "success" });
  expect(caller.made).toEqual(["disk"]);
});

withTerraform(titled("infrastructure.yml destroys nothing but by hand, with a tick"), async () => {
  await caller.runs("infrastructure.yml", { vars: variables });
  caller.declare();
  const pushed = await caller.runs("infrastructure.yml", { vars: variables });
  expect(pushed.jobs).toEqual({ "Terraform/Terraform/Plan": "failure", "Terraform/Terraform/Apply": "skipped" });
  const labels = { action: "labeled", labels: [{ name: "allow-destroy" }] };
  const asked = pull();
  const labelled = {
    ...asked,
    payload: { number: 7, pull_request: { ...(asked.payload as { pull_request: object }).pull_request, ...labels } },
  };
  expect((await caller.runs("infrastructure.yml", { vars: variables, ...labelled })).code).toBe(0);
  expect(caller.made).toEqual(["disk"]);
  const byHand = { event: "workflow_dispatch" as const, inputs: { "allow-destroy": "true" } };
  expect((await caller.runs("infrastructure.yml", { vars: variables, ...byHand })).code).toBe(0);
  expect(caller.made).toEqual([]);
});
