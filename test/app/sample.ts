import { createApp } from "../../app/src/app";
import { Health } from "../../app/src/health";
import { createLog } from "../../app/src/log";
import { Metrics } from "../../app/src/metrics";
import { Traffic } from "../../app/src/traffic";

export interface Sample {
  version?: string;
  commit?: string;
  host?: string;
  trustProxy?: number | string[];
  lagMs?: () => number;
  faulty?: boolean;
}

/** The app with its collaborators in the test's hands, and every line that it logs. */
export function sampleApp({
  version = "1",
  commit = "abc123",
  host = "host-a",
  trustProxy = 1,
  lagMs = () => 3,
  faulty = false,
}: Sample = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog("debug", version, { write: (text) => void lines.push(JSON.parse(text)) });
  const health = new Health(lagMs, 1000);
  health.started();
  const about = { version, commit, host, startedAt: new Date() };
  const traffic = new Traffic();
  const metrics = new Metrics(about, traffic);
  const app = createApp({ about, health, traffic, metrics, log, trustProxy, faulty });
  return { app, health, lines, registry: metrics.registry };
}
