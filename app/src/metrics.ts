import type { Request, RequestHandler, Response } from "express";
import { Gauge, Histogram, Registry } from "prom-client";
import type { About } from "./about";
import type { Traffic } from "./traffic";

// From an answer out of memory (5 ms) to one that nobody waits for any more (10 s). Dense around 250 ms to 1 s, where an alert on
// latency has its threshold: a quantile is only as exact as the bucket that it falls into.
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10];

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Rate, errors and duration of the requests, and which release this is. A client chooses no label's value: each comes from a
 * list that is in this code, so that nobody can fill the memory of the app or of Prometheus with series.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time to answer a request; its count gives the rate, and status the errors",
    labelNames: ["method", "route", "status"],
    buckets,
    registers: [this.registry],
  });

  constructor({ version, commit }: Pick<About, "version" | "commit">, traffic: Traffic) {
    new Gauge({
      name: "http_requests_in_flight",
      help: "Requests under way; the polls of /health and /status are not counted",
      registers: [this.registry],
      collect() {
        this.set(traffic.inFlight);
      },
    });
    new Gauge({
      name: "build_info",
      help: "Always 1; says which release this is, made from which commit",
      labelNames: ["release", "commit"],
      registers: [this.registry],
    }).set({ release: version, commit }, 1);
  }

  /** Of a series that begins with its first error, Prometheus sees no increase. */
  startAtZero(routes: readonly string[]): void {
    for (const route of routes)
      for (const status of ["2xx", "5xx"]) this.#duration.zero({ method: "GET", route, status });
  }

  readonly observe: RequestHandler = (req, res, next) => {
    const from = performance.now();
    res.once("close", () => this.#duration.observe(labels(req, res), (performance.now() - from) / 1000));
    next();
  };
}

const labels = (req: Request, res: Response) => ({
  method: methods.has(req.method) ? req.method : "other",
  route: typeof req.route?.path === "string" ? req.route.path : "unmatched", // the pattern, never the path
  status: outcome(res),
});

/** An answer that was cut is the client's doing (`aborted`), unless an error of ours cut it. */
function outcome(res: Response): string {
  if (!res.writableFinished) return res.err ? "5xx" : "aborted";
  return `${Math.floor(res.statusCode / 100)}xx`;
}
