import { request } from "node:http";
import type { Socket } from "node:net";
import type { Attempt } from "./attempt";
import { NoAnswer } from "./no-answer";

/** "proxy.example.com:3128", as the log names it: without its user. */
export const proxyName = (proxy: URL): string => `${proxy.hostname}:${portOfProxy(proxy)}`;

export const portOfProxy = (proxy: URL): number => Number(proxy.port || (proxy.protocol === "https:" ? 443 : 80));

export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === "" && proxy.password === "") return {};
  const credentials = [proxy.username, proxy.password].map(decoded).join(":");
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Asks a proxy for a tunnel (RFC 9110, 9.3.6). Its refusal says nothing about the server; a 5xx says that it could not
 * be reached from there, which does.
 */
export function tunnel(socket: Socket, proxy: URL, authority: string, attempt: Attempt): Promise<Socket> {
  attempt.waitingFor = `answer of the proxy ${proxyName(proxy)}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      method: "CONNECT",
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      createConnection: () => socket,
    });
    asking.on("error", (cause) => reject(unreachable(proxy, cause)));
    asking.on("connect", ({ statusCode = 0 }, tunnelled, head) => {
      if (statusCode >= 300) return reject(refused(proxy, statusCode));
      if (head.length > 0) tunnelled.unshift(head);
      resolve(attempt.closes(tunnelled as Socket));
    });
    asking.on("response", ({ statusCode = 0 }) => reject(refused(proxy, statusCode)));
    asking.end();
  });
}

export const unreachable = (proxy: URL, cause: Error): NoAnswer =>
  new NoAnswer(`the proxy ${proxyName(proxy)} can't be reached: ${cause.message}`, "proxy", { blind: true, cause });

export function refused(proxy: URL, status: number): NoAnswer {
  if (status >= 500)
    return new NoAnswer(`the proxy ${proxyName(proxy)} can't reach it (status ${status})`, `proxy ${status}`);
  const why = status === 407 ? "it wants a user and a password" : "it does not let this runner through";
  return new NoAnswer(`the proxy ${proxyName(proxy)} refuses with status ${status}: ${why}`, `proxy ${status}`, {
    blind: true,
  });
}
