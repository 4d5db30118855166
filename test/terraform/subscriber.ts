// An HTTP endpoint that is subscribed to a topic: it confirms, and keeps what it is told.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Told {
  readonly Subject: string;
  readonly Message: string;
}

export class Subscriber {
  readonly #told: Told[] = [];
  readonly #waiting: ((told: Told) => void)[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Subscriber> {
    const server = createServer();
    const subscriber = new Subscriber(server);
    server.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end();
      subscriber.#take(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return subscriber;
  }

  /** Terraform's resource would wait for an ARN that this AWS does not give before the confirmation. */
  async subscribe(aws: string, topic: string): Promise<void> {
    const { port } = this.server.address() as AddressInfo;
    const confirmed = new Promise<void>((resolve) => this.server.once("confirmed", resolve));
    const asked = { Action: "Subscribe", Version: "2010-03-31", TopicArn: topic, Protocol: "http" };
    const body = new URLSearchParams({ ...asked, Endpoint: `http://127.0.0.1:${port}/` });
    const answer = await fetch(aws, { method: "POST", body });
    if (!answer.ok) throw new Error(`Subscribe was answered with ${answer.status}: ${await answer.text()}`);
    await confirmed;
  }

  /** What comes next, or has come and was not asked for yet. */
  next(milliseconds: number): Promise<Told> {
    const there = this.#told.shift();
    if (there) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`Nothing was told for ${milliseconds} ms.`)), milliseconds);
      this.#waiting.push((told) => {
        clearTimeout(limit);
        resolve(told);
      });
    });
  }

  #take(envelope: Told & { readonly Type: string; readonly SubscribeURL?: string }): void {
    if (envelope.SubscribeURL) void fetch(envelope.SubscribeURL).then(() => this.server.emit("confirmed"));
    if (envelope.Type !== "Notification") return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting(envelope);
    else this.#told.push(envelope);
  }

  end(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
