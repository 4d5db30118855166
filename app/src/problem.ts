import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";

/** An RFC 9457 answer; `requestId` is what to look for in the log. */
export function sendProblem(req: Request, res: Response, status: number, detail: string): void {
  res.status(status).set("Cache-Control", "no-store").type("application/problem+json");
  res.json({ type: "about:blank", title: STATUS_CODES[status], status, detail, requestId: req.id });
}

/** `/%zz` would pass for a path like any other: no route of ours has a parameter for Express to decode. */
export const refuseMalformedPath: RequestHandler = (req, res, next) => {
  try {
    decodeURIComponent(req.path);
  } catch {
    return sendProblem(req, res, 400, "The path is not valid percent-encoding.");
  }
  next();
};

export const methodNotAllowed: RequestHandler = (req, res) => {
  res.set("Allow", "GET, HEAD");
  sendProblem(req, res, 405, `Only GET and HEAD are answered here, not ${req.method}.`);
};

export const notFound: RequestHandler = (req, res) => sendProblem(req, res, 404, "There is nothing at this path.");

export const failed: ErrorRequestHandler = (error, req, res, next) => {
  const status = statusOf(error);
  if (status === 500) res.err = error;
  if (res.headersSent) return next(error); // Express cuts the connection, so that the client sees half an answer as one
  sendProblem(req, res, status, status === 500 ? internal : error.message);
};

const internal = "Something went wrong here. The log has the cause under this request id.";

/** The client's own faults come from Express with their status, such as 416 for a range that a file doesn't have. */
function statusOf(error: unknown): number {
  const { status, expose } = Object(error) as { status?: unknown; expose?: unknown };
  return expose === true && typeof status === "number" && status >= 400 && status < 500 ? status : 500;
}
