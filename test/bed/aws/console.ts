// What an instance has written on its console. moto gives each the same lines, without host keys.
import type { BedHost } from "../bed";
import { docker, lines } from "../run";
import type { Player } from "./front";

const hostKeyFile = "/var/lib/bed/ssh_host_ed25519_key.pub";
/** The service keeps the last 64 KB. */
const kept = 64 * 1024;

/** Answers with what was said for the instance; with no output, as for one that has just been started, if nothing was. */
export const consoleOutput =
  (said: ReadonlyMap<string, string>): Player =>
  async (call, moto) => {
    const answer = await moto();
    const text = said.get(String(call.parameters.InstanceId));
    const output = text === undefined ? "" : Buffer.from(text).subarray(-kept).toString("base64");
    const element = output && `<output>${output}</output>`;
    return { ...answer, body: answer.body.replace(/<output>[^<]*<\/output>/, element) };
  };

/** `ssh-ed25519 AAAA...`, the box's own. */
export async function hostKeyOf(host: BedHost): Promise<string> {
  const line = await docker(["exec", host.container, "cat", hostKeyFile]);
  return line.split(" ").slice(0, 2).join(" ");
}

/** The end of a boot as cloud-init writes it, with the box's own host key. */
export async function bootConsole(host: BedHost): Promise<string> {
  const [line = ""] = lines(await docker(["exec", host.container, "cat", hostKeyFile]));
  const fingerprint = await docker(["exec", host.container, "ssh-keygen", "-lf", hostKeyFile]);
  const rule = "#############################################################";
  return [
    "[    0.000000] Linux version 6.1.0 (mockbuild@ip-10-0-0-1) #1 SMP PREEMPT_DYNAMIC",
    "[    5.120316] cloud-init[1571]: Cloud-init running 'modules:config' at Thu, 26 Nov 2026 10:00:05 +0000. Up 5.02 seconds.",
    "ci-info: +++++++++++++++Authorized keys from /home/ec2-user/.ssh/authorized_keys for user ec2-user+++++++++++++++",
    ...[
      rule,
      "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
      fingerprint,
      "-----END SSH HOST KEY FINGERPRINTS-----",
      rule,
    ].map((text) => `<14>Nov 26 10:00:06 cloud-init: ${text}`),
    "-----BEGIN SSH HOST KEY KEYS-----",
    line,
    "-----END SSH HOST KEY KEYS-----",
    "[    6.204410] cloud-init[1630]: Cloud-init finished at Thu, 26 Nov 2026 10:00:06 +0000. Up 6.20 seconds",
    "",
    "ip-10-0-0-1 login: ",
  ].join("\r\n");
}
