import type { GuardProcess } from "./guard-process";
import { until } from "./until";

/** Runs `attempt` for 1, 2, 3 ... a few at a time, until it says that its number is past the last step. */
export async function forEachStep(attempt: (step: number) => Promise<boolean>): Promise<number> {
  const AT_ONCE = 4;
  for (let first = 1; ; first += AT_ONCE) {
    const steps = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    const past = await Promise.all(steps.map(attempt));
    const end = past.indexOf(true);
    if (end >= 0) return first + end - 1;
  }
}

/** Whether it got to the end; either way its lock is free. */
export async function readyOrDead(guard: GuardProcess): Promise<boolean> {
  const past = () => guard.lines.some((line) => line.startsWith("READY"));
  await until(() => past() || guard.ended, "READY or the guard's death");
  await guard.kill();
  return past();
}

export async function retiredOrDead(guard: GuardProcess): Promise<boolean> {
  const past = () => guard.lines.includes("RETIRED 99");
  await until(() => past() || guard.ended, "RETIRED or the guard's death");
  await guard.kill();
  return past();
}
