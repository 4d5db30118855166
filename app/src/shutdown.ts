import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

const sweepMs = 100;

/** Knows a server's connections from its first one on, so that it can end them in order. Made before the server listens. */
export class Shutdown {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #inFlight = new Set<ServerResponse>();
  #begun = false;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (connection: Socket) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    });
    server.prependListener("request", (_req: IncomingMessage, res: ServerResponse) => {
      this.#inFlight.add(res);
      res.once("close", () => this.#inFlight.delete(res));
      if (this.#begun) lastOnItsConnection(res);
    });
  }

  /** Finishes what is in flight; resolves to how many connections had to be cut at the limit. */
  async finish(limitMs: number): Promise<number> {
    this.#begun = true;
    for (const res of this.#inFlight) lastOnItsConnection(res);
    let cut = 0;
    const limit = setTimeout(() => {
      cut = this.#connections.size;
      for (const connection of this.#connections) connection.destroy();
    }, limitMs);
    const sweep = setInterval(() => this.#closeUnused(), sweepMs);
    // Closes the idle connections too; its error says only that the server was not listening.
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    clearTimeout(limit);
    clearInterval(sweep);
    return cut;
  }

  // Again and again, as a connection whose last answer was under way before the shutdown turns idle after it. Node counts
  // one that never sent a byte as active. It gets one sweep's time, as its first request may be on the wire.
  #closeUnused(): void {
    this.#server.closeIdleConnections();
    for (const connection of this.#connections) if (connection.bytesRead === 0) connection.destroy();
  }
}

function lastOnItsConnection(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader("Connection", "close");
}
