import type { RequestHandler } from "express";
import { sendProblem } from "./problem";

const longestMs = 10_000;

/** On purpose, so that graphs and alerts can be seen to move. Only where FAULTS is on: anybody could ask for them. */
export const faults: Record<string, RequestHandler> = {
  "/fault/error": () => {
    throw new Error("an error on purpose: /fault/error was asked for");
  },
  "/fault/slow": (req, res) => {
    const text = String(req.query.ms ?? 1000);
    const ms = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(ms <= longestMs)) return sendProblem(req, res, 400, `ms: expected a whole number from 0 to ${longestMs}.`);
    const timer = setTimeout(() => res.set("Cache-Control", "no-store").json({ ms }), ms);
    res.once("close", () => clearTimeout(timer));
  },
};
