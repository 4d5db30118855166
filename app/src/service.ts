import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "./health";
import type { Logger } from "./log";
import { Shutdown } from "./shutdown";

export interface Service {
  /** Resolves to the port. */
  start(port: number): Promise<number>;
  /** Resolves to how many connections had to be cut; a second call waits for the first. */
  stop(why: string, limitMs: number): Promise<number>;
}

// Longer than a proxy keeps an idle connection: else it may send a request into one that we are closing.
const keepAliveMs = 65_000;

export function createService(listener: RequestListener, health: Health, log: Logger): Service {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, listener);
  const shutdown = new Shutdown(server);
  let stopped: Promise<number> | undefined;

  async function finish(why: string, limitMs: number): Promise<number> {
    health.stopping();
    log.info({ limitMs }, `stopping: ${why}`);
    const cut = await shutdown.finish(limitMs);
    if (cut > 0) log.warn({ cut }, `stopped: cut what was still busy after ${limitMs} ms`);
    else log.info("stopped: every request was finished");
    return cut;
  }

  return {
    async start(port) {
      server.listen(port);
      await once(server, "listening");
      health.started();
      const address = server.address() as AddressInfo;
      log.info({ port: address.port }, "ready");
      return address.port;
    },
    stop(why, limitMs) {
      stopped ??= finish(why, limitMs);
      return stopped;
    },
  };
}
