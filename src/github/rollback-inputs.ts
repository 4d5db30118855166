import type { HealthOptions, RollbackRequest } from "../release/request";
import { UserError } from "../user-error";
import { appName, asItIs, checkStrangers, type HostInputs, hostInputs, lock, verify } from "./host-inputs";
import { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { runOf } from "./run";
import { duration } from "./values/durations";
import { headers, healthPath, hostHeader, pattern, statusRanges } from "./values/health";
import { boolean, matching, wholeNumber } from "./values/scalars";
import { shown } from "./values/shown";
import { waveSize } from "./values/sizes";

export interface RollbackInputs extends HostInputs {
  readonly request: RollbackRequest;
}

/**
 * The inputs of actions/rollback-ec2, all of them checked. What of a release's checks is blank is as it was deployed with.
 *
 * @throws {UserError} with one line for each thing that is wrong.
 */
export function readRollbackInputs(io: InputSource): RollbackInputs {
  const from = new InputReader(io);
  const inputs: RollbackInputs = {
    ...hostInputs(from),
    request: {
      app: appName(from, io),
      to: from.optional("to", release) ?? "",
      reason: from.optional("reason", reason) ?? "",
      list: from.needed("list", boolean),
      health: given(health(from)),
      bakeTime: from.optional("bake-time", duration("0s", "6h")),
      verify: verify(from),
      waveSize: from.needed("wave-size", waveSize),
      safety: lock(from),
      run: runOf(io.env),
    },
  };
  from.refuseProblems();
  checkStrangers(from, inputs);
  from.refuseProblems();
  return inputs;
}

const release = matching(
  /^(-[1-9][0-9]?|sha256:[0-9a-f]{1,64}|[0-9A-Za-z_.][0-9A-Za-z_.-]{0,63})$/,
  "a release's id, a commit, a digest (sha256:...) or the beginning of one, or -2 for the second before this one",
);

const LONGEST_REASON = 300;

function reason(name: string, text: string): string {
  if (text.length > LONGEST_REASON)
    throw new UserError(`${name}: it has ${text.length} characters; at most ${LONGEST_REASON} are kept.`);
  if (/\p{Cc}/u.test(text)) throw new UserError(`${name}: expected one line of text, got ${shown(text)}.`);
  return asItIs(name, text);
}

type Given = { readonly [Name in keyof HealthOptions]: HealthOptions[Name] | undefined };

const health = (from: InputReader): Given => ({
  path: from.optional("health-path", healthPath),
  status: from.optional("health-status", statusRanges),
  host: from.optional("health-host", hostHeader),
  headers: from.optional("health-headers", headers("write it in health-host")),
  body: from.optional("health-body", pattern),
  interval: from.optional("health-interval", duration("50ms", "5m")),
  timeout: from.optional("health-timeout", duration("100ms", "5m")),
  threshold: from.optional("health-threshold", wholeNumber(1, 100)),
  startTimeout: from.optional("start-timeout", duration("1s", "1h")),
});

const given = (options: Given): Partial<HealthOptions> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
