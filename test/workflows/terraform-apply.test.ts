import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, jest } from "@jest/globals";
import { titled, withTerraform } from "../terraform/with-terraform";
import { root } from "../unit/workflows/files";

jest.setTimeout(60_000);
let folder = "";
const at = (name: string) => join(folder, name);
const terraform = (...words: string[]) =>
  execFileSync("terraform", [`-chdir=${folder}`, ...words, "-input=false"], { stdio: "pipe" });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hello-devops-apply-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The script of the step, as the runner starts it. */
function apply(hash: string) {
  const env = {
    ...{ PATH: process.env.PATH, DIRECTORY: folder, PLAN: at("plan"), WORDS: "2 to create", SEEN: "", APPROVED: "" },
    ...{ HASH: hash, APPROVED_HASH: "a".repeat(64), GITHUB_STEP_SUMMARY: at("summary") },
  };
  const step = spawn("bash", [join(root, ".github/actions/terraform-apply/apply.sh")], { env, stdio: "pipe" });
  let log = "";
  for (const stream of [step.stdout, step.stderr]) stream.setEncoding("utf8").on("data", (text) => (log += text));
  const ended = new Promise<{ code: number | null; log: string }>((resolve) =>
    step.once("close", (code) => resolve({ code, log })),
  );
  return { step, ended };
}

const appears = (name: string) =>
  new Promise<void>((resolve) => {
    const look = () => {
      if (!existsSync(at(name))) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });

const kept = () =>
  (JSON.parse(readFileSync(at("terraform.tfstate"), "utf8")) as { resources: { name: string }[] }).resources.map(
    ({ name }) => name,
  );

withTerraform(titled("an apply that is cancelled keeps what it has made in the state, and no lock"), async () => {
  writeFileSync(
    at("main.tf"),
    `resource "terraform_data" "first" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "touch ${at("begun")} && exec sleep 300"
  }
}
`,
  );
  terraform("init");
  terraform("plan", `-out=${at("plan")}`);
  const { step, ended } = apply("a".repeat(64));
  await appears("begun");
  step.kill("SIGINT"); // as GitHub does: this process alone
  const { code, log } = await ended;
  expect([code, log]).toEqual([1, expect.stringContaining("::error title=Applied in part::")]);
  expect(kept()).toContain("first");
  expect(readdirSync(folder).filter((name) => /lock\.info|^plan$/.test(name))).toEqual([]);
  expect(readFileSync(at("summary"), "utf8")).toContain("What it had done stays, and is in the state");
});

withTerraform(
  titled("a state that has moved since the plan was made is not applied on, by Terraform itself"),
  async () => {
    writeFileSync(at("main.tf"), 'resource "terraform_data" "first" {}\n');
    terraform("init");
    terraform("plan", `-out=${at("plan")}`);
    terraform("apply", "-auto-approve");
    const { code, log } = await apply("a".repeat(64)).ended;
    expect([code, log]).toEqual([1, expect.stringContaining("Saved plan is stale")]);
  },
);

withTerraform(titled("a plan too long to be handed on is refused like any other, without the difference"), async () => {
  writeFileSync(at("main.tf"), 'resource "terraform_data" "first" {}\n');
  terraform("init");
  terraform("plan", `-out=${at("plan")}`);
  const { code, log } = await apply("b".repeat(64)).ended;
  expect([code, log]).toEqual([1, expect.stringContaining("(aaaaaaaaaaaa then, bbbbbbbbbbbb now)")]);
  expect(log).toContain("They are too long to be compared here: both jobs' logs have them.");
  expect([existsSync(at("terraform.tfstate")), existsSync(at("plan"))]).toEqual([false, false]);
});
