import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { inBox, lookAt } from "../support/outside";
import { Quick } from "../support/quick";
import { basicInputs, type Inputs, startPost } from "../support/runner";
import { type KeyPair, loginsAtSecond, nameOf, newKey, SECOND_PORT, SilentServer, secondWayIn } from "../support/sshd";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
const second = `${host.address}:${SECOND_PORT}`;
const silent = new SilentServer();
let fingerprint = "";
let bedKey = "";
let hostKey = "";
let locked: KeyPair;
let silentAddress = "";

beforeAll(async () => {
  await resetHost(host);
  await secondWayIn(host);
  hostKey = (await inBox(host, "cut", "-d", " ", "-f", "1,2", "/var/lib/bed/ssh_host_ed25519_key.pub")).trim();
  fingerprint = (await inBox(host, "ssh-keygen", "-lf", "/var/lib/bed/ssh_host_ed25519_key.pub")).split(" ")[1] ?? "";
  bedKey = await nameOf(host.keyFile);
  locked = await newKey("open sesame ünïcode");
  await inBox(host, "bash", "-c", `echo '${locked.public.trim()}' >>/home/deploy/.ssh/authorized_keys`);
  silentAddress = await silent.listen();
}, 60_000);
afterAll(async () => {
  silent.close();
  await resetHost(host);
}, 60_000);

/** Looks at the host and changes nothing: enough to see who got in. */
const look = (more: Inputs) => quick.deploy("echo1", { "dry-run": "true", ...more });

test("deploys as the user and to the port in hosts, whatever ssh-user and ssh-port say", async () => {
  const inputs = { hosts: `deploy@${second}`, "ssh-user": "nobody", "ssh-port": "9", "ssh-known-hosts": fingerprint };
  await quick.deployed("echo1", inputs);
  expect((await loginsAtSecond(host)).logins).toEqual([`deploy ${bedKey}`]);
  expect(await lookAt(host)).toMatchObject({ serves: "echo1", current: "echo1", journal: false, locked: false });
}, 60_000);

test("logs in as ssh-user, at ssh-port, where hosts names neither", async () => {
  const inputs = { hosts: host.address, "ssh-user": "deploy", "ssh-port": String(SECOND_PORT) };
  const ended = await look({ ...inputs, "ssh-known-hosts": fingerprint });
  expect(ended.outputs.status).toBe("unchanged");
  expect((await loginsAtSecond(host)).logins).toEqual([`deploy ${bedKey}`]);
}, 30_000);

test("logs in with ssh-key as it was pasted, and says who was refused with another key", async () => {
  const pasted = `\n${readFileSync(host.keyFile, "utf8").trim().replaceAll("\n", "\r\n")}`;
  expect((await look({ hosts: second, "ssh-key": pasted, "ssh-known-hosts": fingerprint })).code).toBe(0);
  expect((await loginsAtSecond(host)).logins).toEqual([`ec2-user ${bedKey}`]);
  const stranger = await newKey("");
  const refused = await look({ hosts: second, "ssh-key": stranger.private, "ssh-known-hosts": fingerprint });
  expect(refused.outputs).toMatchObject({ status: "failed", "failed-gate": "connect" });
  expect(refused.outputs.reason).toContain('the user "ec2-user" with this ssh-key was refused');
  expect((await loginsAtSecond(host)).logins).toEqual([]);
}, 30_000);

test("opens an encrypted key with ssh-key-passphrase, and without the right one connects to nothing", async () => {
  const inputs = { hosts: `deploy@${second}`, "ssh-key": locked.private, "ssh-known-hosts": fingerprint };
  const opened = await look({ ...inputs, "ssh-key-passphrase": "open sesame ünïcode\n" });
  expect(opened.code).toBe(0);
  expect((await loginsAtSecond(host)).logins).toEqual([`deploy ${locked.name}`]);
  const [blank, wrong] = await Promise.all([look(inputs), look({ ...inputs, "ssh-key-passphrase": "open" })]);
  expect([blank.code, wrong.code]).toEqual([1, 1]);
  expect(blank.log).toContain("ssh-key: the key is encrypted. Give its passphrase in ssh-key-passphrase.");
  expect(wrong.log).toContain("ssh-key: the key can't be decrypted with ssh-key-passphrase. Check the passphrase.");
  expect((await loginsAtSecond(host)).connections).toBe(0);
}, 30_000);

test("takes ssh-known-hosts as lines or as fingerprints, and sends no login to a host with another key", async () => {
  const line = `# from the console\n[${host.address}]:${SECOND_PORT} ${hostKey}\n`;
  const [lines, print] = await Promise.all(
    [line, fingerprint].map((known) => look({ hosts: second, "ssh-known-hosts": known })),
  );
  expect([lines?.code, print?.code]).toEqual([0, 0]);
  expect((await loginsAtSecond(host)).logins).toHaveLength(2);
  const other = await look({ hosts: second, "ssh-known-hosts": locked.name.split(" ")[1] ?? "" });
  expect(other.outputs).toMatchObject({ status: "failed", "failed-gate": "connect" });
  expect(other.outputs.reason).toContain(`the host showed the key ${fingerprint}, which is not the one`);
  expect(await loginsAtSecond(host)).toEqual({ logins: [], connections: 1 });
}, 30_000);

test("gives up after connect-timeout on a host that takes the connection and never speaks", async () => {
  const ended = await look({ hosts: silentAddress, "ssh-known-hosts": fingerprint, "connect-timeout": "1s" });
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "connect" });
  expect(ended.outputs.reason).toContain("no SSH connection within connect-timeout (1 s)");
  expect(Number(ended.outputs.duration)).toBeGreaterThanOrEqual(1);
  expect(Number(ended.outputs.duration)).toBeLessThan(4);
  expect(silent.connections).toBe(1);
}, 30_000);

const wrong: [string, Inputs, string][] = [
  ["a bake-time in words", { "bake-time": "soon" }, 'bake-time: expected a duration such as 30s or 2m, got "soon".'],
  [
    "a host that is named twice",
    { hosts: "10.0.0.1, 10.0.0.1" },
    "hosts: 10.0.0.1 port 22 is named twice. Name each host once.",
  ],
  ["an unknown strategy", { strategy: "rolling" }, 'strategy: expected blue-green or recreate, got "rolling".'],
  [
    "traffic-steps that do not end at all of it",
    { "traffic-steps": "10, 50" },
    'traffic-steps: expected whole numbers of per cent that rise and end at 100, such as 10, 50, 100, got "10, 50".',
  ],
];

for (const [what, inputs, line] of wrong)
  test(`refuses ${what} in one line, before it connects to anything`, async () => {
    const before = silent.connections;
    const ended = await look({ hosts: silentAddress, "ssh-known-hosts": fingerprint, ...inputs });
    const printed = ended.log.split("\n").filter((text) => text !== "" && !/^::(add-mask|debug)::/.test(text));
    expect([printed, ended.code, silent.connections - before]).toEqual([[`::error::${line}`], 1, 0]);
  }, 30_000);

test("a step that refused its inputs says so once: its post step does nothing, though the inputs be right by then", async () => {
  const before = silent.connections;
  const main = await look({ hosts: silentAddress, "ssh-known-hosts": fingerprint, "bake-time": "soon" });
  const inputs = { ...basicInputs(bed, host, "echo2"), hosts: silentAddress };
  const post = await startPost("deploy-ec2", inputs, main.state).ended;
  expect([main.code, post.code, post.log, silent.connections - before]).toEqual([1, 0, "", 0]);
}, 30_000);
