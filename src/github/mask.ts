import type { VerifyOutcome } from "../health/outcome";
import type { Outcome } from "../release/outcome";

export type Mask = (text: string) => string;

/**
 * Puts `***` in the place of secrets before a text is cut, escaped or stripped: the runner masks what it is given, and
 * a secret that was cut in two or escaped is not the secret that it knows.
 */
export function maskOf(secrets: readonly string[]): Mask {
  const longestFirst = [...secrets].filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}

/** The outcome with everything masked that could hold what a host or a container wrote. */
export function masked<O extends Outcome>(outcome: O, mask: Mask): O {
  const { failure } = outcome;
  return {
    ...outcome,
    // in one piece, since a secret may have several lines
    failure: failure && { ...failure, reason: mask(failure.reason), log: mask(failure.log.join("\n")).split("\n") },
    evidence: outcome.evidence.map((seen) => ({
      ...seen,
      gate: mask(seen.gate),
      expected: mask(seen.expected),
      lastSeen: mask(seen.lastSeen),
    })),
    warnings: outcome.warnings.map(mask),
    verification: outcome.verification && maskedVerify(outcome.verification, mask),
  };
}

/** The outcome with everything masked that a server could have written. */
export const maskedVerify = (outcome: VerifyOutcome, mask: Mask): VerifyOutcome => ({
  ...outcome,
  checks: outcome.checks.map((check) => ({
    ...check,
    name: mask(check.name),
    url: mask(check.url),
    reason: mask(check.reason),
    lastSeen: mask(check.lastSeen),
    lastBody: mask(check.lastBody),
    version: mask(check.version),
    expected: mask(check.expected),
  })),
});
