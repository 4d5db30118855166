import express, { type Express } from "express";
import type { About } from "./about";
import { faults } from "./faults";
import type { Health } from "./health";
import { type Logger, requestLog } from "./log";
import type { Metrics } from "./metrics";
import { failed, methodNotAllowed, notFound, refuseMalformedPath } from "./problem";
import { routes } from "./routes";
import { securityHeaders } from "./security";
import type { Traffic } from "./traffic";

export interface Collaborators {
  about: About;
  health: Health;
  traffic: Traffic;
  metrics: Metrics;
  log: Logger;
  trustProxy: number | string[];
  /** whether /fault/... is there */
  faulty: boolean;
}

export function createApp(parts: Collaborators): Express {
  const { about, health, traffic, metrics, log } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", parts.trustProxy);
  const observed = [requestLog(log), metrics.observe, traffic.observe];
  app.use(...observed, securityHeaders(about.version), refuseMalformedPath);
  const answers = { ...routes(about, health, traffic), ...(parts.faulty ? faults : {}) };
  metrics.startAtZero(Object.keys(answers));
  for (const [path, answer] of Object.entries(answers)) app.route(path).get(answer).all(methodNotAllowed);
  app.use(notFound, failed);
  return app;
}
