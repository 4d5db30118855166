import { Agent, get } from "node:https";
import { isIP } from "node:net";
import { UserError } from "../user-error";

export interface RunnerAddresses {
  /** "203.0.113.7/32", "2001:db8::7/128" */
  readonly cidrs: readonly string[];
  readonly warnings: readonly string[];
}

/** GET a URL without any proxy; the body's text. `signal` ends it. */
export type Ask = (url: URL, signal: AbortSignal) => Promise<string>;

// Run by two companies that share nothing (Amazon; Cloudflare), so one outage or one lie is not both. Each answers with
// the bare address and asks for no account.
const SERVICES = ["https://checkip.amazonaws.com/", "https://icanhazip.com/"];

/**
 * The public addresses that this runner's SSH connections come from. Answers that differ are all right: behind a NAT
 * with several addresses, or with IPv4 and IPv6, each may be the next connection's.
 *
 * @param limit milliseconds that each service has
 * @throws {UserError} when no service gives an address
 */
export async function runnerAddresses(ask: Ask = askStraight, limit = 5_000): Promise<RunnerAddresses> {
  const answers = await Promise.allSettled(SERVICES.map((service) => address(ask, new URL(service), limit)));
  const cidrs = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [String(answer.reason.message)] : []));
  if (cidrs.length > 0) return { cidrs: [...new Set(cidrs)], warnings: failures };
  throw new UserError(
    `ssh-security-group: this runner's own public address can't be found: ${failures.join("; ")}. They are asked without a proxy, because SSH takes none. Leave ssh-security-group blank and let the runner's network in yourself, or use a runner inside the VPC with address: private.`,
  );
}

async function address(ask: Ask, url: URL, milliseconds: number): Promise<string> {
  const limit = AbortSignal.timeout(milliseconds);
  const late = new Promise<never>((_, reject) => limit.addEventListener("abort", () => reject(limit.reason)));
  const text = await Promise.race([ask(url, limit), late]).catch((cause) => {
    const why = limit.aborted ? `no answer in ${milliseconds / 1000} s` : cause.message || cause.code;
    throw new Error(`${url.hostname}: ${why}`, { cause });
  });
  const said = text.trim();
  const family = said.includes("%") ? 0 : isIP(said); // % begins a zone, which no public address has
  if (family === 4) return `${said}/32`;
  if (family === 6) return `${new URL(`http://[${said}]/`).hostname.slice(1, -1)}/128`; // spelled as AWS does: RFC 5952
  throw new Error(`${url.hostname}: its answer is no address: ${JSON.stringify(said.slice(0, 60))}`);
}

/**
 * Past HTTPS_PROXY: a proxy's answer would be the proxy's address, and SSH does not come from there. An agent of its own,
 * because newer versions of Node give the global one a proxy.
 */
export function askStraight(url: URL, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal, agent: new Agent() }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body = `${body}${chunk}`.slice(0, 1000);
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`it answers with status ${response.statusCode}`));
      });
    });
    request.on("error", reject);
  });
}
