import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import {
  request as ask,
  createServer as createHttp,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { authority, certificate } from "./certificates";

/**
 * What a service says of the one who asks; `hangs`: it takes the question and never answers; `passedTo`: another server,
 * by its URL, answers instead, such as a fake AWS under AWS's own names.
 */
export type AddressAnswer =
  | string
  | { readonly status: number; readonly body?: string }
  | { readonly hangs: true }
  | { readonly passedTo: string };

const ROUTES = join(__dirname, "played-routes.cjs");

/**
 * The services in the internet that tell a runner its own address, played by one TLS server. A step is led to it by its
 * environment alone: there is no way for tests in the code.
 */
export class AddressServices {
  /** names of the services that were asked, in order */
  readonly asked: string[] = [];
  /** `NAME:PORT` that the proxy was asked for and that is none of the services */
  readonly refused: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "hello-devops-authority-"));
  readonly #tls: Server;
  readonly #proxy: Server;

  /** By name of the service; an answer may be changed while it runs. */
  private constructor(readonly answers: Record<string, AddressAnswer>) {
    const by = authority("the address services' authority");
    writeFileSync(this.#authorityFile, by.pem);
    this.#tls = createHttps(certificate({ names: Object.keys(answers), by }), (request, response) =>
      this.#answer(request, response),
    );
    this.#proxy = createHttp().on("connect", (request, socket) => this.#forward(request.url ?? "", socket));
  }

  static async start({ answers }: { readonly answers: Record<string, AddressAnswer> }): Promise<AddressServices> {
    const services = new AddressServices({ ...answers });
    await Promise.all([services.#tls, services.#proxy].map(listening));
    return services;
  }

  /** For a step whose machine finds the services where they are played. */
  get env(): Readonly<Record<string, string>> {
    const port = portOf(this.#tls);
    const routes = Object.fromEntries(Object.keys(this.answers).map((name) => [name, port]));
    return { ...this.#trust, NODE_OPTIONS: `--require=${ROUTES}`, PLAYED_ROUTES: JSON.stringify(routes) };
  }

  /** For a step whose machine reaches the internet by a proxy, which knows the services and nobody else. */
  get proxyEnv(): Readonly<Record<string, string>> {
    return { ...this.#trust, HTTPS_PROXY: `http://127.0.0.1:${portOf(this.#proxy)}` };
  }

  async end(): Promise<void> {
    for (const server of [this.#proxy, this.#tls]) {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
    rmSync(this.#folder, { recursive: true });
  }

  get #trust(): Readonly<Record<string, string>> {
    return { NODE_EXTRA_CA_CERTS: this.#authorityFile };
  }

  get #authorityFile(): string {
    return join(this.#folder, "authority.pem");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const name = request.headers.host?.split(":")[0] ?? "";
    this.asked.push(name);
    const answer = this.answers[name] ?? { status: 404 };
    if (typeof answer === "string") response.end(answer);
    else if ("status" in answer) response.writeHead(answer.status).end(answer.body);
    else if ("passedTo" in answer) pass(request, response, answer.passedTo);
  }

  #forward(target: string, socket: Duplex): void {
    socket.on("error", () => {});
    if (!Object.keys(this.answers).some((name) => target === `${name}:443`)) {
      this.refused.push(target);
      return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    }
    const service = connect(portOf(this.#tls), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      service.pipe(socket).pipe(service);
    });
    service.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    socket.on("close", () => service.destroy());
  }
}

function pass(request: IncomingMessage, response: ServerResponse, to: string): void {
  const { method, headers, url = "/" } = request;
  const onward = ask(new URL(url, to), { method, headers } as RequestOptions, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
