import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";

export interface Running {
  readonly port: number;
  /** `127.0.0.1:port`, or `[::1]:port` */
  readonly place: string;
  readonly requests: readonly Asked[];
}

export interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const open: { server: Server; sockets: Set<Socket> }[] = [];

/** For `afterEach`: ends every server that this file's tests have started, with its connections. */
export async function stopServers(): Promise<void> {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  }
}

export async function listening(server: Server, host = "127.0.0.1", port = 0): Promise<Omit<Running, "requests">> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: host.includes(":") }, resolve);
  });
  open.push({ server, sockets });
  const { port: taken } = server.address() as AddressInfo;
  return { port: taken, place: `${host.includes(":") ? `[${host}]` : host}:${taken}` };
}

type Answer = (request: IncomingMessage, response: ServerResponse, index: number) => void;

function recording(answer: Answer): { listener: RequestListener; requests: Asked[] } {
  const requests: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const index = requests.push({ line: `${request.method} ${request.url}`, headers: request.headers, body }) - 1;
      answer(request, response, index);
    });
  };
  return { listener, requests };
}

export async function httpServer(answer: Answer, host?: string, port?: number): Promise<Running> {
  const { listener, requests } = recording(answer);
  return { ...(await listening(createHttp(listener), host, port)), requests };
}

export async function httpsServer(tls: { key: string; cert: string }, answer: Answer): Promise<Running> {
  const { listener, requests } = recording(answer);
  return { ...(await listening(createHttps(tls, listener))), requests };
}

export const tcpServer = (onSocket: (socket: Socket) => void, host?: string): Promise<Omit<Running, "requests">> =>
  listening(createTcp(onSocket), host);

/** Answers each request with the next of these; the last one goes on. */
export const inTurn =
  (...answers: readonly (number | Answer)[]): Answer =>
  (request, response, index) => {
    const answer = answers[Math.min(index, answers.length - 1)];
    if (typeof answer === "function") answer(request, response, index);
    else response.writeHead(answer ?? 200).end();
  };

export const saying =
  (body: string, headers: Readonly<Record<string, string>> = {}, status = 200): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

/** A port on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createTcp();
  const { port } = await listening(server);
  await new Promise((closed) => server.close(closed));
  return port;
}
