import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Request, RequestHandler, Response } from "express";
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { pinoHttp } from "pino-http";
import { isPolled } from "./polled";
import { traceIdOf } from "./trace";

export type { Logger } from "pino";

export function createLog(level: string, release: string, to: DestinationStream = stdout()): Logger {
  return pino(
    {
      level,
      base: { release },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    to,
  );
}

// Written at once: a buffered line may come out of order, or not at all, when the process exits.
const stdout = (): DestinationStream => pino.destination({ dest: 1, sync: true });

/** One line for each request, and `req.log`, which carries the request's id. */
export function requestLog(log: Logger): RequestHandler {
  return pinoHttp<Request, Response>({
    logger: log,
    genReqId: requestId,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: "requestId", responseTime: "ms" },
    customLogLevel: (req, res, error) =>
      isPolled(pathOf(req)) ? "debug" : error || res.statusCode >= 500 ? "error" : "info",
    customSuccessObject: (req, res, { ms }) => line(req, res, ms),
    customErrorObject: (req, res, _error, { ms }) => ({ ...line(req, res, ms), err: res.err }),
    customSuccessMessage: outcome,
    customErrorMessage: outcome,
  });
}

/** The caller's id only if it is plain: it goes back in a header and into every line of this request. */
function requestId(req: IncomingMessage, res: ServerResponse): string {
  const given = req.headers["x-request-id"];
  const id = typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
  res.setHeader("X-Request-Id", id);
  return id;
}

// Without its query, which may carry a secret; `req.path` would change inside a mounted router.
const pathOf = (req: Request): string => req.originalUrl.split("?", 1)[0] ?? "";

function line(req: Request, res: Response, ms: number) {
  const { method, ip, route } = req;
  const traceId = traceIdOf(req.headers.traceparent);
  return { traceId, method, path: pathOf(req), route: route?.path, status: res.statusCode, ms, ip };
}

function outcome(req: Request, res: Response): string {
  return `${req.method} ${pathOf(req)} ${res.writableFinished ? res.statusCode : "aborted"}`;
}
