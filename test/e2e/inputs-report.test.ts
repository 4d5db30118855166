import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { BedHost } from "../bed/bed";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { GithubApi } from "../support/github-api";
import { inBox } from "../support/outside";
import { good, Quick } from "../support/quick";
import type { Ended } from "../support/runner";
import { type KeyPair, newKey } from "../support/sshd";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const api = new GithubApi(["Add a cart", "Pay with <script>alert(1)</script>\n\nand a body"]);
const [older, newer] = ["a".repeat(40), "b".repeat(40)];
const AUTHORIZED = "/home/ec2-user/.ssh/authorized_keys";
let github = "";
let key: KeyPair;

beforeAll(async () => {
  await resetHost(host);
  github = await api.listen();
  key = await newKey("correct horse battery staple");
  await inBox(host, "bash", "-c", `cp -p ${AUTHORIZED} /run/bed/keys; echo '${key.public.trim()}' >>${AUTHORIZED}`);
}, 60_000);
afterAll(async () => {
  api.close();
  await inBox(host, "bash", "-c", `cat /run/bed/keys >${AUTHORIZED}`);
  await resetHost(host);
}, 60_000);

test("writes a summary with what runs, the timeline and the gates, and none when summary is false", async () => {
  const silent = await quick.deployed("echo1", { version: older, summary: "false" });
  expect(silent.summary).toBe("");
  const ended = await quick.deployed("echo2", { version: newer, summary: "true" });
  const digest = bed.images.echo2?.digest.replace(/^.*@/, "") ?? "";
  for (const part of [
    `web ${newer}: ✅ deployed`,
    digest,
    "aaaaaaaaaaaa",
    "probe",
    "bake",
    "retire",
    host.url.slice(7),
  ]) {
    expect(ended.summary).toContain(part);
  }
}, 60_000);

test("lists the commits since the release before with github-token, and asks nobody without it", async () => {
  const env = { GITHUB_API_URL: github };
  const unasked = await quick.deployed("echo1", { version: older, "github-token": "" }, env);
  expect(api.asked).toEqual([]);
  expect(unasked.summary).not.toContain("Add a cart");
  const ended = await quick.deployed("echo2", { version: newer, "github-token": "ghs_of_the_job" }, env);
  expect(api.asked).toEqual([`/repos/acme/web/compare/${older}...${newer} token ghs_of_the_job`]);
  for (const part of ["2 new commits", "Add a cart", "Pay with &#60;script&#62;", "compare/"]) {
    expect(ended.summary).toContain(part);
  }
}, 60_000);

test("leaves no secret in a log, an output, the state, the summary, a process list, or a file on the host", async () => {
  const env = { TOKEN: "sk-live-4eC39HqLyjWDarjtT1zdp7dc", CERT: "first line of a cert\nsecond-line-of-a-cert" };
  const { username, password } = bed.registry;
  const secrets = [
    ...[password, btoa(`${username}:${password}`), env.TOKEN, ...env.CERT.split("\n")],
    ...["ghs_of_the_job", "Bearer-of-checks-77", "correct horse battery staple"],
    ...key.private.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
  ];
  const inputs = {
    "ssh-key": key.private,
    "ssh-key-passphrase": "correct horse battery staple",
    env: `TOKEN=${env.TOKEN}\nCERT="${env.CERT}"`,
    "health-headers": "Authorization: Bearer Bearer-of-checks-77",
    "github-token": "ghs_of_the_job",
    "pre-deploy": `node -e 'console.log("hook", process.env.TOKEN, process.env.CERT)'`,
    "verify-command": "env; ps auxww",
  };
  await inBox(host, "docker", "image", "rm", "-f", bed.images.good1?.digest ?? "").catch(() => {}); // so that it is pulled
  await using processes = new ProcessWatch(host);
  const debug = { RUNNER_DEBUG: "1", GITHUB_API_URL: github };
  const deployed = good(await quick.deploy("good1", inputs, debug));
  const tells = `node -e 'console.error(process.env.TOKEN, process.env.CERT); process.exit(1)'`;
  const { "pre-deploy": _, ...failing } = inputs;
  const failed = await quick.deploy("good1", { ...failing, command: tells, version: "tells" }, debug);
  expect(failed.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "start" });
  expect(failed.summary).toContain("&#42;&#42;&#42;");
  expect(failed.log).toContain("***");
  const found = [
    ...[deployed, failed].flatMap((ended) => secrets.filter((secret) => written(ended).includes(secret))),
    ...secrets.filter((secret) => processes.seen.includes(secret)),
  ];
  expect(found).toEqual([]);
  expect(processes.seen).toContain("bash --norc --noprofile -s -- web"); // it saw the deploy, so it would have seen a secret
  // containerd's folder holds Docker's own configuration of a container, with its env
  const search =
    "grep -rlaF --exclude-dir=containerd -f /dev/stdin /var/lib/hello-devops /home /root /tmp /run /etc || true";
  expect(await docker(["exec", "-i", host.container, "bash", "-c", search], { input: `${secrets.join("\n")}\n` })).toBe(
    "",
  );
}, 120_000);

/** All that a deploy wrote where somebody may read it; the runner hides what the mask lines name, and the lines. */
const written = ({ log, outputs, state, summary }: Ended): string =>
  [log.replace(/^::add-mask::.*$/gm, ""), JSON.stringify([outputs, state]), summary].join("\n");

/** Looks at the box's process list again and again. */
class ProcessWatch implements AsyncDisposable {
  seen = "";
  #going = true;
  readonly #watching: Promise<void>;

  constructor(box: BedHost) {
    this.#watching = this.#watch(box);
  }

  async #watch(box: BedHost): Promise<void> {
    const looks = "for n in 1 2 3 4 5 6 7 8; do ps auxww; sleep 0.05; done";
    while (this.#going) this.seen += await inBox(box, "bash", "-c", looks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#going = false;
    await this.#watching;
  }
}
