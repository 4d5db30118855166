import { join } from "node:path";
import type { RequestHandler } from "express";
import type { About } from "./about";
import type { Health } from "./health";
import { page } from "./page";
import { statusOf } from "./status";
import type { Traffic } from "./traffic";

const publicFolder = join(__dirname, "..", "public");

/** Each path and what a GET of it answers. */
export function routes(about: About, health: Health, traffic: Traffic): Record<string, RequestHandler> {
  return {
    "/": fresh((req, res) => res.send(page(statusOf(about, health, traffic), String(req.id)))),
    "/health": fresh((_req, res) => {
      const report = health.report();
      res.status(report.status === "ready" ? 200 : 503).json(report);
    }),
    "/version": fresh((_req, res) => res.json({ version: about.version, commit: about.commit })),
    "/status": fresh((_req, res) => res.json(statusOf(about, health, traffic))),
    "/style.css": asset("style.css"),
    "/page.js": asset("page.js"),
  };
}

/** Never from a cache: the next answer may be another release's. */
function fresh(answer: (...args: Parameters<RequestHandler>) => unknown): RequestHandler {
  return (req, res, next) => {
    res.set("Cache-Control", "no-store");
    answer(req, res, next);
  };
}

function asset(name: string): RequestHandler {
  return (_req, res) =>
    res.sendFile(name, { root: publicFolder, cacheControl: false, headers: { "Cache-Control": "no-cache" } });
}
