import type { VerifyOutcome } from "../health/outcome";
import type { Change } from "./change";
import { GateError } from "./failure";
import { type Member, of } from "./fleet";
import { called } from "./record";
import type { DeployRequest } from "./request";
import type { Verification } from "./world";

/**
 * The gate `verify-url`: once all traffic has moved, and before the commit, so that there is one way back.
 *
 * @throws {GateError} unless all of it is healthy
 */
export async function verifyUrls(
  { fleet, report, world }: Change,
  { version, traffic }: DeployRequest,
  verification: Verification,
  moving: readonly Member[],
): Promise<void> {
  const { log } = world;
  const outcome = await verification.run({ version, header: traffic.releaseHeader }, { log, cancel: fleet.signal });
  fleet.signal.throwIfAborted();
  report.verification = outcome;
  if (outcome.status === "healthy") return;
  await fleet.each(fleet.members, async ({ guard }) => guard?.hold()); // a cut wire must not be taken for a bad release
  throw new GateError("verify-url", `${sentenceOf(outcome)} ${stillServe(moving.length > 0 ? moving : fleet.members)}`);
}

function sentenceOf({ checks }: VerifyOutcome): string {
  const bad = checks.filter(({ status }) => status !== "healthy");
  const first = bad.find(({ status }) => status === "unhealthy") ?? bad[0];
  const more = bad.length > 1 ? ` Of ${checks.length} checks ${bad.length} are not healthy.` : "";
  return `${first?.reason}${more}`;
}

/** The end of a failure's sentence, where it is not one host's: each goes back to its own. */
export function stillServe(members: readonly Member[]): string {
  const names = new Set(members.flatMap((member) => called(of(member, "scene").previous) ?? []));
  if (names.size === 0) return "Nothing was served before, and nothing is now.";
  return `${[...names].join(", ")} still serve${names.size === 1 ? "s" : ""}.`;
}
