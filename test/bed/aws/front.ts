// The HTTP server that AWS's clients are sent to. It writes down each call, answers what is played here, fails on
// demand, and hands all else on to moto.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Answer, type AwsError, type Call, errorAnswer, readCall } from "./protocol";

/** How a call fails, and how often (1; `Infinity` is a number, too). A call that hangs is never answered: its client must give up. */
export type Fault = { readonly times?: number } & (AwsError | { readonly malformed: true } | { readonly hangs: true });

/** Answers an action, where it wants to by way of what moto says. */
export type Player = (call: Call, moto: () => Promise<Answer>) => Promise<Answer>;

export type Players = Readonly<Record<string, Player>>;

export class Front {
  readonly calls: Call[] = [];
  readonly #faults = new Map<string, { fault: Fault; left: number }[]>();
  readonly #played = new Map<string, Player>();
  readonly #server: Server = createServer((request, response) => {
    this.#serve(request, response).catch((error: Error) => response.writeHead(500).end(`the fake AWS: ${error.stack}`));
  });

  /** These play always; what a test plays besides asks them where it asks moto. */
  constructor(
    private readonly moto: string,
    private readonly players: Players,
  ) {}

  /** @returns its endpoint */
  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () =>
        resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`),
      );
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  play(action: string, player: Player): void {
    this.#played.set(action, player);
  }

  fail(action: string, fault: Fault): void {
    const faults = this.#faults.get(action) ?? [];
    this.#faults.set(action, [...faults, { fault, left: fault.times ?? 1 }]);
  }

  forget(): void {
    this.calls.length = 0;
    this.#faults.clear();
    this.#played.clear();
  }

  #nextFault(action: string): Fault | undefined {
    const next = this.#faults.get(action)?.find(({ left }) => left > 0);
    if (next) next.left -= 1;
    return next?.fault;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const call = readCall(request.headers, body);
    if (!call) return void response.writeHead(403).end("the fake AWS takes signed calls only");
    this.calls.push(call);
    const fault = this.#nextFault(call.action);
    if (fault && "hangs" in fault) return;
    const { status, type, body: text } = fault ? failed(call, fault) : await this.#answer(call, request, body);
    response.writeHead(status, { "content-type": type, "x-amzn-requestid": `bed-${this.calls.length}` }).end(text);
  }

  #answer(call: Call, { url, method, headers }: IncomingMessage, body: string): Promise<Answer> {
    const moto = async (): Promise<Answer> => {
      const { authorization = "", "x-amz-target": target } = headers;
      const named = { authorization, "content-type": call.type, ...(target && { "x-amz-target": String(target) }) };
      const answer = await fetch(`${this.moto}${url}`, { method: method ?? "POST", headers: named, body });
      const type = answer.headers.get("content-type") ?? call.type;
      return { status: answer.status, type, body: await answer.text() };
    };
    const always = this.players[call.action];
    const usual = always ? () => always(call, moto) : moto;
    return this.#played.get(call.action)?.(call, usual) ?? usual();
  }
}

function failed(call: Call, fault: Exclude<Fault, { hangs: true }>): Answer {
  if ("code" in fault) return errorAnswer(call, fault);
  const torn = call.protocol === "json" ? '{"torn": ' : "<torn><";
  return { status: 200, type: call.type, body: torn };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
