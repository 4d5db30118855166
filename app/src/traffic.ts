import type { RequestHandler } from "express";
import { isPolled } from "./polled";

/** Requests answered and under way. */
export class Traffic {
  served = 0;
  inFlight = 0;

  readonly observe: RequestHandler = (req, res, next) => {
    if (isPolled(req.path)) return next();
    this.inFlight += 1;
    res.once("close", () => {
      this.inFlight -= 1;
      if (res.writableFinished) this.served += 1;
    });
    next();
  };
}
