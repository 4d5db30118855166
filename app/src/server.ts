import { collectDefaultMetrics } from "prom-client";
import { createApp } from "./app";
import { type Config, ConfigError, readConfig } from "./config";
import { Health } from "./health";
import { createLog } from "./log";
import { watchLoopLag } from "./loop-lag";
import { Metrics } from "./metrics";
import { metricsPage } from "./metrics-page";
import { createService } from "./service";
import { Traffic } from "./traffic";

async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel, config.version);
  const health = new Health(watchLoopLag().ms, config.maxLagMs);
  const about = { version: config.version, commit: config.commit, host: config.host, startedAt: new Date() };
  const traffic = new Traffic();
  const metrics = new Metrics(about, traffic);
  collectDefaultMetrics({ register: metrics.registry }); // of the process and its event loop
  const { trustProxy, faults: faulty } = config;
  const app = createApp({ about, health, traffic, metrics, log, trustProxy, faulty });
  const service = createService({ app, metrics: metricsPage(metrics.registry) }, health, log);
  // Before it listens: without a handler, process 1 of a container ignores a signal altogether.
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, async () => process.exit((await service.stop(signal, config.shutdownTimeoutMs)) > 0 ? 1 : 0));
  await service.start(config.port, config.metricsPort);
}

async function main(): Promise<void> {
  try {
    await serve(readConfig(process.env));
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 1;
  }
}

void main();
