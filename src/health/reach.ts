import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Attempt } from "./attempt";
import { type Certificate, certificateOf, earliest, untrusted } from "./certificate";
import { sharedLookup } from "./lookups";
import { NoAnswer, noAnswer } from "./no-answer";
import { portOfProxy, tunnel, unreachable } from "./proxy";
import type { TlsRequest } from "./request";

/** How servers are reached. */
export interface Way {
  /** 0 = whichever answers first */
  readonly family: 0 | 4 | 6;
  readonly tls: TlsRequest;
  /** the proxy for a URL; undefined = none */
  readonly proxyOf: (url: URL) => URL | undefined;
  /** connections to this host go to another address, and through no proxy */
  readonly resolve: { readonly host: string; readonly address: string } | undefined;
}

export interface Connection {
  readonly stream: Socket;
  readonly certificate: Certificate | undefined;
  /** the proxy that reads the request itself, and wants the whole URL in it */
  readonly readBy: URL | undefined;
}

const ports: Readonly<Record<string, number>> = { "http:": 80, "ws:": 80, "https:": 443, "wss:": 443 };
const NEXT_ADDRESS = 500; // milliseconds that one address of a name has before the next is tried

const lookup = sharedLookup();

export const portOf = (url: URL): number => Number(url.port || ports[url.protocol]);

/** The name or address without brackets, as sockets and certificates want it. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** The proxy that a request to this URL goes through. */
export function proxyFor(url: URL, way: Way): URL | undefined {
  if (url.protocol === "tcp:" || way.resolve?.host === hostOf(url)) return undefined;
  return way.proxyOf(url);
}

export async function connect(url: URL, way: Way, attempt: Attempt): Promise<Connection> {
  const proxy = proxyFor(url, way);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const plain = await (proxy ? throughProxy(proxy, url, attempt) : direct(url, way, attempt));
  if (!secure) return { stream: plain, certificate: undefined, readBy: url.protocol === "http:" ? proxy : undefined };
  return { ...(await handshake(plain, hostOf(url), way.tls, attempt)), readBy: undefined };
}

function direct(url: URL, { resolve, family }: Way, attempt: Attempt): Promise<Socket> {
  const host = hostOf(url);
  return dial(resolve?.host === host ? resolve.address : host, portOf(url), family, attempt);
}

function dial(host: string, port: number, family: 0 | 4 | 6, attempt: Attempt, blind = false): Promise<Socket> {
  const toServer = () => Object.assign(attempt, { waitingFor: "connection", blind });
  if (isIP(host)) toServer();
  else Object.assign(attempt, { waitingFor: `answer of the resolver for ${host}`, blind: true });
  const eyeballs = { autoSelectFamily: family === 0, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS };
  const socket = attempt.closes(connectTcp({ host, port, family, lookup, noDelay: true, ...eyeballs }));
  socket.once("lookup", toServer);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error) => reject(noAnswer(error)));
  });
}

async function throughProxy(proxy: URL, url: URL, attempt: Attempt): Promise<Socket> {
  try {
    const socket = await dial(hostOf(proxy), portOfProxy(proxy), 0, attempt, true);
    const toProxy = proxy.protocol === "https:" ? await secured(socket, hostOf(proxy), {}, attempt) : socket;
    if (url.protocol === "http:") return toProxy;
    return await tunnel(toProxy, proxy, `${url.hostname}:${portOf(url)}`, attempt);
  } catch (cause) {
    throw cause instanceof NoAnswer && cause.kind.startsWith("proxy") ? cause : unreachable(proxy, cause as Error);
  } finally {
    attempt.blind = false;
  }
}

async function handshake(
  plain: Socket,
  host: string,
  tls: TlsRequest,
  attempt: Attempt,
): Promise<Pick<Connection, "stream" | "certificate">> {
  // Node would close the connection before anybody can read which certificate it was: so it is judged here, before a byte is sent.
  const options = { rejectUnauthorized: false, ALPNProtocols: ["http/1.1"], ...ca(tls) };
  const stream = await secured(plain, host, options, attempt);
  const certificate = certificateOf(stream);
  const { found } = attempt; // noted before it is judged: a bad one's end is what one wants to know
  found.certificateExpires = earliest([certificate?.expires, found.certificateExpires]);
  if (tls.verify && !stream.authorized) throw untrusted(stream, host);
  return { stream, certificate };
}

const ca = ({ authorities }: TlsRequest) => (authorities === undefined ? {} : { ca: authorities });

function secured(plain: Socket, host: string, options: object, attempt: Attempt) {
  attempt.waitingFor = "TLS handshake";
  const servername = isIP(host) ? "" : host;
  const socket = attempt.closes(connectTls({ socket: plain, host, servername, ...options }));
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", (error) => reject(noAnswer(error)));
    socket.once("close", () => reject(new NoAnswer("the connection was closed in the TLS handshake", "closed")));
  });
}
