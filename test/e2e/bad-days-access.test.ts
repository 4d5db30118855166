import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { deploy, deployed, freshHost, host, lightLoad, noneFailed, oneReleaseByItself } from "../support/bad-day";
import { inBox, until, wholeState, whoServes } from "../support/outside";
import type { Inputs } from "../support/runner";

const folder = mkdtempSync(join(tmpdir(), "hello-devops-keys-"));
const key = (name: string, passphrase = ""): string => {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", join(folder, name)]);
  return join(folder, name);
};
const otherKey = key("other");
const mine = readFileSync(host.keyFile, "utf8");
const knownAs = (file: string) =>
  `${host.address} ${readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ")}`;

beforeAll(async () => {
  await freshHost();
  await deployed("echo1");
}, 120_000);
afterAll(freshHost, 60_000);

const mended: [string, string][] = [
  ["CRLF line ends", mine.replaceAll("\n", "\r\n")],
  ["a lost last newline", mine.trimEnd()],
];
test.each(mended)(
  "an ssh-key with %s is mended",
  async (_, sshKey) => {
    expect((await deploy("echo1", { "ssh-key": sshKey })).outputs.status).toBe("unchanged");
  },
  60_000,
);

const away = `${host.address.replace(/\.\d+$/, "")}.250`;
const refused: [string, Inputs, RegExp][] = [
  [
    "another ssh-key",
    { "ssh-key": readFileSync(otherKey, "utf8") },
    /the user "ec2-user" with this ssh-key was refused\. Check ssh-user/,
  ],
  [
    "a wrong passphrase",
    { "ssh-key": readFileSync(key("locked", "right"), "utf8"), "ssh-key-passphrase": "wrong" },
    /ssh-key: the key can't be decrypted with ssh-key-passphrase/,
  ],
  [
    "an unknown host key",
    { "ssh-known-hosts": `other.example ${knownAs(otherKey).split(" ").slice(1).join(" ")}` },
    /ssh-known-hosts: none of its 1 lines is for "/,
  ],
  [
    "a changed host key",
    { "ssh-known-hosts": knownAs(otherKey) },
    /the host showed the key SHA256:\S+, which is not the one in ssh-known-hosts\. Nothing was sent to it\./,
  ],
  [
    "an unreachable host",
    { hosts: away, "ssh-known-hosts": `${away} ${knownAs(otherKey).split(" ").slice(1).join(" ")}` },
    /port 22: no SSH connection within connect-timeout \(3 s\)\. Is the instance running/,
  ],
  [
    "a port without sshd",
    {
      hosts: `${host.address}:2222`,
      "ssh-known-hosts": `[${host.address}]:2222 ${knownAs(otherKey).split(" ").slice(1).join(" ")}`,
    },
    /port 2222: the connection was refused\. Does sshd run there/,
  ],
];
test.each(refused)(
  "%s is told apart, and nothing is touched",
  async (_, more, reason) => {
    await changesNothing(more, reason);
  },
  60_000,
);

/** what, how it is made so, how it is mended, what is said */
const hosts: [string, string, string, RegExp][] = [
  [
    "forbids TCP forwarding",
    "sed -i 's/^AllowTcpForwarding.*/AllowTcpForwarding no/' /etc/ssh/sshd_config; kill -HUP $(cat /run/bed/sshd.pid)",
    "sed -i 's/^AllowTcpForwarding.*/AllowTcpForwarding yes/' /etc/ssh/sshd_config; kill -HUP $(cat /run/bed/sshd.pid)",
    /AllowTcpForwarding/,
  ],
  [
    "forbids forwarding to sockets",
    "sed -i 's/^AllowStreamLocalForwarding.*/AllowStreamLocalForwarding no/' /etc/ssh/sshd_config; kill -HUP $(cat /run/bed/sshd.pid)",
    "sed -i 's/^AllowStreamLocalForwarding.*/AllowStreamLocalForwarding yes/' /etc/ssh/sshd_config; kill -HUP $(cat /run/bed/sshd.pid)",
    /AllowStreamLocalForwarding/,
  ],
  [
    "has no docker command",
    "mv /usr/bin/docker /usr/bin/docker.away",
    "mv /usr/bin/docker.away /usr/bin/docker",
    /The host has no docker command for this user\. Install Docker Engine/,
  ],
  [
    "gives the user no right to docker.sock",
    "gpasswd -d ec2-user docker >/dev/null",
    "usermod -aG docker ec2-user",
    /This user may not use Docker on the host\. .*sudo usermod -aG docker/,
  ],
  [
    "has a shell that talks",
    "sed -i '1i echo Welcome to web-1' /home/ec2-user/.bashrc",
    "sed -i 1d /home/ec2-user/.bashrc",
    /The host wrote "Welcome to web-1" before .*\.bashrc/,
  ],
  [
    "kills the processes of a session that ends",
    "printf '#!/bin/sh\\necho b true\\n' >/usr/local/bin/busctl; chmod 755 /usr/local/bin/busctl",
    "rm /usr/local/bin/busctl",
    /KillUserProcesses=yes.* Set KillUserProcesses=no in \/etc\/systemd\/logind\.conf/,
  ],
  [
    "has a state folder of a newer format",
    "echo 2 >/var/lib/hello-devops/web/format",
    "echo 1 >/var/lib/hello-devops/web/format",
    /was written by a newer hello-devops \(format 2\)/,
  ],
];
test.each(hosts)(
  "a host that %s is refused with what to change",
  async (_, break_, mend, reason) => {
    await inBox(host, "bash", "-c", break_);
    try {
      await changesNothing({}, reason, mend);
    } finally {
      await inBox(host, "bash", "-c", `${mend} 2>/dev/null; true`);
    }
  },
  90_000,
);

test("a host whose dockerd is stopped is refused, and serves the committed release when it is back", async () => {
  await inBox(host, "bed-ctl", "dockerd", "stop");
  const ended = await deploy("echo2");
  await inBox(host, "bed-ctl", "dockerd", "start");
  expect(ended.outputs).toMatchObject({ status: "failed", "failed-gate": "connect" });
  expect(ended.outputs.reason).toBe(
    "Docker is installed on the host but does not run. Start it: sudo systemctl enable --now docker.",
  );
  await until("the committed release serves", async () => (await whoServes(host)) === "echo1");
  expect(await oneReleaseByItself()).toBe("echo1");
}, 90_000);

async function changesNothing(more: Inputs, reason: RegExp, mend = "true"): Promise<void> {
  const load = lightLoad();
  const ended = await deploy("echo2", more);
  await inBox(host, "bash", "-c", mend);
  expect(ended.outputs.reason ?? ended.log).toMatch(reason);
  expect(ended.code).toBe(1);
  expect(ended.log).not.toContain("::group::pull");
  await noneFailed(load);
  expect(await oneReleaseByItself()).toBe("echo1");
  expect(await wholeState(host)).not.toContain("web-echo2");
}
