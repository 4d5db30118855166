import express, { type Express } from "express";
import type { About } from "./about";
import type { Health } from "./health";
import { type Logger, requestLog } from "./log";
import { failed, methodNotAllowed, notFound, refuseMalformedPath } from "./problem";
import { routes } from "./routes";
import { securityHeaders } from "./security";
import type { Traffic } from "./traffic";

export interface Collaborators {
  about: About;
  health: Health;
  traffic: Traffic;
  log: Logger;
  trustProxy: number | string[];
}

export function createApp({ about, health, traffic, log, trustProxy }: Collaborators): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("trust proxy", trustProxy);
  app.use(requestLog(log), securityHeaders(about.version), traffic.observe, refuseMalformedPath);
  for (const [path, answer] of Object.entries(routes(about, health, traffic)))
    app.route(path).get(answer).all(methodNotAllowed);
  app.use(notFound, failed);
  return app;
}
