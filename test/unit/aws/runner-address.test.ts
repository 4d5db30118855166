import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import { type Ask, runnerAddresses } from "../../../src/aws/runner-address";
import { UserError } from "../../../src/user-error";
import { authority, certificate } from "../../support/certificates";
import { httpsServer, stopServers } from "../../support/servers";

const run = promisify(execFile);
const root = join(__dirname, "../../..");

afterEach(stopServers);

/** What each of the two services answers; an Error = it does not. */
const answering = (...answers: readonly [string | Error, string | Error]): Ask => {
  const left = [...answers];
  return async () => {
    const answer = left.shift() ?? new Error("asked once too often");
    if (answer instanceof Error) throw answer;
    return answer;
  };
};

/** In a process of its own: it must trust the test's certificate, and has the runner's HTTPS_PROXY. */
const elsewhere = async (url: string, env: Record<string, string>): Promise<string> => {
  const args = ["--import", "tsx", join(__dirname, "ask-straight.mts"), url];
  const { stdout } = await run(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
  return stdout;
};

test("asks past the runner's proxy, whose address is not SSH's", async () => {
  const issuer = authority("tests");
  const service = await httpsServer(certificate({ by: issuer }), (_, response) => response.end("203.0.113.7\n"));
  const folder = mkdtempSync(join(tmpdir(), "ca-"));
  writeFileSync(join(folder, "ca.pem"), issuer.pem);
  const env = {
    NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    HTTPS_PROXY: "http://127.0.0.1:1",
    NODE_USE_ENV_PROXY: "1",
  };
  const answer = await elsewhere(`https://${service.place}/`, env);
  rmSync(folder, { recursive: true });
  expect(answer).toBe("203.0.113.7\n");
});

test("takes an error page for no answer", async () => {
  const issuer = authority("tests");
  const service = await httpsServer(certificate({ by: issuer }), (_, response) =>
    response.writeHead(503).end("203.0.113.7"),
  );
  const answer = await elsewhere(`https://${service.place}/`, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
  expect(answer).toBe("Error: it answers with status 503");
});

const found: readonly [what: string, answers: [string, string], cidrs: string[]][] = [
  ["one address that both see", ["203.0.113.7\n", "203.0.113.7"], ["203.0.113.7/32"]],
  ["two addresses of one NAT", ["203.0.113.7\n", "203.0.113.8\n"], ["203.0.113.7/32", "203.0.113.8/32"]],
  ["an IPv4 and an IPv6 address", ["203.0.113.7\n", "2001:db8::7\n"], ["203.0.113.7/32", "2001:db8::7/128"]],
  ["an IPv6 address in AWS's spelling", ["2001:DB8:0:0::07", "2001:db8::7"], ["2001:db8::7/128"]],
];
test.each(found)("finds %s", async (_, answers, cidrs) => {
  expect(await runnerAddresses(answering(...answers))).toEqual({ cidrs, warnings: [] });
});

const wrong = [
  "",
  "<html>Sign in</html>",
  "203.0.113.7/0",
  "203.0.113.7, 198.51.100.1",
  "203.0.113.0x7",
  "fe80::1%eth0",
];
test.each(wrong)("takes %j for no address, and says so in a warning", async (answer) => {
  const { cidrs, warnings } = await runnerAddresses(answering(answer, "203.0.113.7"));
  expect(cidrs).toEqual(["203.0.113.7/32"]);
  expect(warnings).toEqual([`checkip.amazonaws.com: its answer is no address: ${JSON.stringify(answer)}`]);
});

test("goes on with one address when the other service is down", async () => {
  const { cidrs, warnings } = await runnerAddresses(answering("203.0.113.7", new Error("connect ECONNREFUSED")));
  expect([cidrs, warnings]).toEqual([["203.0.113.7/32"], ["icanhazip.com: connect ECONNREFUSED"]]);
});

test("names the ways out when neither service answers", async () => {
  const finding = runnerAddresses(answering(new Error("connect ETIMEDOUT"), "no"));
  await expect(finding).rejects.toThrow(UserError);
  await expect(finding).rejects.toThrow(
    /^ssh-security-group: .*checkip\.amazonaws\.com: connect ETIMEDOUT; icanhazip\.com: its answer is no address: "no".*without a proxy.*Leave ssh-security-group blank.*inside the VPC/,
  );
});

test("does not wait longer than its limit for a silent service", async () => {
  const silent: Ask = (url) =>
    url.hostname.endsWith("amazonaws.com") ? new Promise(() => {}) : Promise.resolve("203.0.113.7");
  const { cidrs, warnings } = await runnerAddresses(silent, 50);
  expect([cidrs, warnings]).toEqual([["203.0.113.7/32"], ["checkip.amazonaws.com: no answer in 0.05 s"]]);
});
