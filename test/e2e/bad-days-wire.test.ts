import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  deployed,
  early,
  freshHost,
  host,
  lightLoad,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  other,
  phases,
  sameStory,
  standing,
  startFor,
} from "../support/bad-day";
import { cutWire, Fault, heal } from "../support/faults";

let live = "";
beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
}, 120_000);
afterAll(freshHost, 60_000);

test.each(phases)(
  "the wire is cut silently in %s and healed after the lease: nothing lands after the undo",
  async (phase) => {
    const load = lightLoad();
    const cut = await Fault.primed(host, cutWire);
    const step = await startFor(phase, other(live));
    await step.reaches(phase);
    await cut.strike();
    if (phase === "connect" || phase === "guard") await step.says(/^(connect|guard) failed after/m); // no guard yet that would settle
    const then = await oneReleaseByItself();
    await heal(host);
    const ended = await step.ended;
    const now = await oneReleaseByItself();
    expect(now).toBe(then);
    if (early(phase)) expect(now).toBe(live);
    sameStory(ended, live, other(live), now);
    await deployed(other(now));
    await noneFailed(load);
    expect(await oneRelease()).toBe(other(now));
  },
  120_000,
);
