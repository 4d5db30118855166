import { check, type World, watch } from "./check";
import { together } from "./gate";
import type { VerifyOutcome } from "./outcome";
import type { VerifyRequest } from "./request";

/** All checks side by side. Each goes on to its own end, so that the evidence is whole. */
export async function verify(request: VerifyRequest, world: World): Promise<VerifyOutcome> {
  const startedAt = world.clock.now();
  const checks = await Promise.all([
    ...request.targets.map((target) => check(target, request, world)),
    ...(world.signals ?? []).map((signal) => watch(signal, request.time, world)),
  ]);
  return {
    status: together(checks.map(({ status }) => status)),
    cancelled: world.cancel.aborted,
    checks,
    duration: world.clock.now() - startedAt,
  };
}
