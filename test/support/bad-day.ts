import { expect } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "./bed";
import { heal } from "./faults";
import { judge, settled } from "./judge";
import { Load } from "./load";
import { inBox } from "./outside";
import { type Phase, phases } from "./phases";
import { basicInputs, type Ended, type Inputs, type Step, startStep } from "./runner";

/** What every bad day begins and ends with, on this worker's host. */
export const bed = theBed();
export const host = myHost(bed);

/** Before these nothing can have been committed. */
export const early = (phase: Phase): boolean => phases.indexOf(phase) < phases.indexOf("commit");

export const freshHost = async (): Promise<void> => {
  await heal(host);
  await resetHost(host);
};

/** Quick gates; a short lease, so that a silent wire is noticed soon. */
export const inputs = (image: string, more: Inputs = {}): Inputs => ({
  ...basicInputs(bed, host, image),
  app: "web",
  "bake-time": "0s",
  "connect-timeout": "3s",
  "drain-timeout": "5s",
  "stop-timeout": "5s",
  lease: "5s",
  ...more,
});

export const start = (image: string, more: Inputs = {}, env: Inputs = {}): Step =>
  startStep("deploy-ec2", inputs(image, more), env);
export const deploy = (image: string, more: Inputs = {}): Promise<Ended> => start(image, more).ended;

/** A deploy that has the phase, and stays in it for a while where it can. */
export async function startFor(phase: string, image: string): Promise<Step> {
  if (phase !== "pull")
    return start(image, { "bake-time": "3s", ...(phase === "pre-deploy" && { "pre-deploy": "sleep 2" }) });
  const unknown = bed.images.good2?.digest ?? "";
  await inBox(host, "docker", "image", "rm", "-f", unknown).catch(() => {}); // it is not there
  return start("good2");
}

/** A deploy that the test stands on. */
export async function deployed(image: string, more: Inputs = {}): Promise<Ended> {
  const ended = await deploy(image, more);
  if (ended.outputs.status !== "deployed") throw new Error(`${image} should have been deployed:\n${ended.log}`);
  return ended;
}

/** The version that serves; a host that an earlier test left in a bad way is made anew, so that each test stands alone. */
export async function standing(): Promise<string> {
  await heal(host);
  const { version, wrong } = await judge(host);
  if (/^echo[12]$/.test(version) && wrong.length === 0) return version;
  await freshHost();
  await deployed("echo1");
  return "echo1";
}

export const other = (image: string): string => (image === "echo1" ? "echo2" : "echo1");

export const lightLoad = (on = host): Load => new Load(on.url, { keepAlive: 3, fresh: 2, pause: 20 });

export async function noneFailed(load: Load): Promise<void> {
  const { failed, failures, requests } = await load.stop();
  expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(requests).toBeGreaterThan(10);
}

/** @returns the version that serves, after the judge has found nothing wrong */
export async function oneRelease(on = host): Promise<string> {
  const { version, wrong } = await judge(on);
  expect(wrong).toEqual([]);
  return version;
}

/** The host comes to rest by itself, and then the judge looks. */
export async function oneReleaseByItself(limit?: number, on = host): Promise<string> {
  await settled(on, limit);
  return oneRelease(on);
}

/** Outputs, colour and the host's truth tell the same story. */
export function sameStory(ended: Ended, before: string, after: string, now: string): void {
  const { status } = ended.outputs;
  if (ended.code === null) throw new Error(`a signal that is not this test's ended the step:\n${ended.log}`);
  expect({ version: now, status, code: ended.code }).toEqual(
    now === after
      ? { version: after, status: "deployed", code: 0 }
      : { version: before, status: expect.stringMatching(/^(rolled-back|failed)$/), code: 1 },
  );
}
