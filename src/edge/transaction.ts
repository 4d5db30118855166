import { randomBytes } from "node:crypto";
import type { Run } from "../release/request";

/** A name that no other change has: the run, its attempt, and chance (one job may change its hosts twice). */
export const newTransaction = ({ id, attempt }: Run): string =>
  `${id ?? "local"}-${attempt}-${randomBytes(3).toString("hex")}`;
