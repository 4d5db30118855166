import express, { type Express } from "express";
import type { Registry } from "prom-client";

/** For a port of its own: what a proxy is never told of, no client can ask. */
export function metricsPage(registry: Registry): Express {
  const page = express();
  page.disable("x-powered-by");
  page.disable("etag"); // no two scrapes are the same
  page.get("/metrics", async (_req, res) => {
    res.set("Content-Type", registry.contentType).send(await registry.metrics());
  });
  return page;
}
