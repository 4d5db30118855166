import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "./health";
import type { Logger } from "./log";
import { Shutdown } from "./shutdown";

export interface Service {
  /** Resolves to the app's port. Without a port of their own, no metrics are served. */
  start(port: number, metricsPort?: number): Promise<number>;
  /** Resolves to how many connections had to be cut; a second call waits for the first. */
  stop(why: string, limitMs: number): Promise<number>;
}

interface Listeners {
  app: RequestListener;
  metrics?: RequestListener;
}

// Longer than a proxy keeps an idle connection: else it may send a request into one that we are closing.
const keepAliveMs = 65_000;

// A scrape under way at the end takes milliseconds; one that does not end must not hold the exit.
const lastScrapeMs = 1000;

export function createService({ app, metrics }: Listeners, health: Health, log: Logger): Service {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, app);
  const shutdown = new Shutdown(server);
  const metricsServer = createServer(metrics).unref(); // alone it keeps no process alive: not one whose app could not listen
  const metricsShutdown = new Shutdown(metricsServer);
  let stopped: Promise<number> | undefined;

  async function finish(why: string, limitMs: number): Promise<number> {
    health.stopping();
    log.info({ limitMs }, `stopping: ${why}`);
    const cut = await shutdown.finish(limitMs);
    await metricsShutdown.finish(lastScrapeMs); // after the app's last request, which is in what can be read until here
    if (cut > 0) log.warn({ cut }, `stopped: cut what was still busy after ${limitMs} ms`);
    else log.info("stopped: every request was finished");
    return cut;
  }

  return {
    async start(port, metricsPort) {
      const metricsAt = metricsPort === undefined ? undefined : await listening(metricsServer, metricsPort);
      const at = await listening(server, port);
      health.started();
      log.info({ port: at, metricsPort: metricsAt }, "ready");
      return at;
    },
    stop(why, limitMs) {
      stopped ??= finish(why, limitMs);
      return stopped;
    },
  };
}

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
