import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { InputSource } from "../../src/github/input-source";
import { readVerifyInputs } from "../../src/github/verify-inputs";
import { systemClock } from "../../src/health/clock";
import type { Clock } from "../../src/health/gate";
import type { CheckOutcome, VerifyOutcome } from "../../src/health/outcome";
import type { Signal } from "../../src/health/signal";
import { verify } from "../../src/health/verify";

interface ActionYml {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
}

const file = join(__dirname, "..", "..", "actions", "verify-health", "action.yml");
export const verifyYml = parse(readFileSync(file, "utf8")) as ActionYml;

export type Inputs = Readonly<Record<string, string>>;

/** What the runner passes when a user gives these inputs: the defaults of action.yml fill the rest. */
export function verifySource(given: Inputs = {}, env: Inputs = {}): InputSource {
  const defaults = Object.entries(verifyYml.inputs).map(([name, field]) => [name, field.default ?? ""]);
  const inputs: Inputs = { ...Object.fromEntries(defaults), ...given };
  return {
    input: (name) => inputs[name] ?? "",
    env,
    readWorkspaceFile: (path) => {
      throw new Error(`verify-health reads no file, and not ${path}`);
    },
  };
}

export interface Verified extends VerifyOutcome {
  /** the first check */
  readonly only: CheckOutcome;
  readonly lines: readonly string[];
}

interface World {
  readonly clock?: Clock;
  readonly proxyOf?: (url: URL) => URL | undefined;
  readonly cancel?: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly signals?: readonly Signal[];
}

/** Runs a verification in this process as the action would, with limits that a test can wait for. */
export async function verified(inputs: Inputs, world: World = {}): Promise<Verified> {
  const quick = { timeout: "1s", interval: "100ms", "request-timeout": "400ms" };
  const { request } = readVerifyInputs(verifySource({ ...quick, ...inputs }));
  const lines: string[] = [];
  const log = {
    info: (line: string) => {
      lines.push(line);
      world.onLine?.(line);
    },
    debug: () => {},
  };
  const outcome = await verify(request, {
    clock: world.clock ?? systemClock,
    date: Date.now,
    log,
    proxyOf: world.proxyOf ?? (() => undefined),
    cancel: world.cancel ?? new AbortController().signal,
    signals: world.signals ?? [],
  });
  const [only] = outcome.checks;
  if (!only) throw new Error("there was no check");
  return { ...outcome, only, lines };
}

/** Time that leaps over each pause: what is asked when is real, the waiting is not. */
export function leapingClock(): Clock {
  let leapt = 0;
  return {
    now: () => performance.now() + leapt,
    sleep: async (milliseconds, signal) => {
      signal.throwIfAborted();
      leapt += Math.max(0, milliseconds);
      await new Promise(setImmediate);
    },
  };
}
