import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { docker } from "../bed/run";
import {
  bed,
  deploy,
  deployed,
  freshHost,
  host,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  start,
} from "../support/bad-day";
import { settled } from "../support/judge";
import { leftBehind } from "../support/leftovers";
import { Load } from "../support/load";
import { inBox, inspectInBox, until } from "../support/outside";
import { There } from "../support/rollback";

const NAME = "Shop_web.1"; // as a person, or Compose, would call it

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly StartedAt: string };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number } };
}
const byHand = () => inspectInBox<Inspected>(host, NAME);

/** The plain script's own `docker run`. */
async function runByHand(...options: string[]): Promise<Inspected> {
  const published = options.includes("-p") ? [] : ["-p", "80:5000"];
  await inBox(host, "docker", "run", "-d", "--name", NAME, ...published, ...options, bed.images.echo1?.digest ?? "");
  if (published.length > 0) await until("it answers", byHandAnswers);
  return byHand();
}

/** No proxy answers, so no header of it: /version says which image it is. */
const answer = async (): Promise<string> => {
  const response = await fetch(`${host.url}/version`, { signal: AbortSignal.timeout(5_000) });
  return `${response.headers.get("x-release") ?? "by hand"}: ${(await response.text()).trim()}`;
};
const byHandAnswers = () =>
  answer()
    .then((text) => text.startsWith("by hand: "))
    .catch(() => false);

async function rebooted(): Promise<void> {
  await docker(["restart", host.container]);
  await inBox(host, "bed-ctl", "wait");
}

/** It runs as it did before: at its port, with its own restart policy, and nothing of the deploy is left beside it. */
async function isAsItWas(before: Inspected): Promise<void> {
  await until("it answers", byHandAnswers);
  const now = await byHand();
  expect([now.Id, now.State.Running, now.HostConfig.RestartPolicy]).toEqual([
    before.Id,
    true,
    before.HostConfig.RestartPolicy,
  ]);
  expect(await inBox(host, "docker", "ps", "-a", "--format", "{{.Names}}")).toBe(NAME);
}

const containers = () =>
  inBox(host, "docker", "ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.CreatedAt}}");

beforeEach(freshHost, 60_000);
afterAll(freshHost, 60_000);

test("takes the place of a container made by hand: it is the previous release, stopped and kept, and stays so", async () => {
  const before = await runByHand("--restart", "unless-stopped");
  const refused = await deploy("echo2");
  expect(refused.outputs.reason).toContain(`Let this deploy take its place (adopt: ${NAME})`);
  const load = new Load(host.url, { keepAlive: 3, fresh: 2, pause: 5 });
  const { outputs, log, code } = await deploy("echo2", { adopt: NAME });
  expect([outputs.status, code, outputs["previous-release"]]).toEqual(["deployed", 0, "adopted"]);
  expect(log).toContain(`"${NAME}" gives its port to the proxy: ${NAME} is stopped`);
  expect(log).toMatch(/^Nothing was served for \d+\.\d\d s; echo2\S* serves now\.$/m);
  expect(log).toContain(`${NAME} is stopped and kept.`);
  expect((await load.stop()).byRelease).toHaveProperty("echo2");
  await rebooted();
  await until("the new release serves", async () => (await answer().catch(() => "")).startsWith("echo2"));
  expect(await oneReleaseByItself()).toBe("echo2");
  const after = await byHand();
  expect([after.Id, after.State.Running, after.HostConfig.RestartPolicy.Name]).toEqual([before.Id, false, "no"]);

  const back = await new There(bed, host).back();
  expect([back.outputs.status, back.code]).toEqual(["failed", 1]);
  expect(back.outputs.reason).toContain(`The release before was the container "${NAME}", which was made by hand`);
  expect(await oneReleaseByItself()).toBe("echo2");

  await deployed("echo1", { adopt: NAME, "keep-releases": "1" }); // adopt has nothing more to do
  expect(await oneReleaseByItself()).toBe("echo1");
  expect((await byHand()).Id).toBe(before.Id); // pruned from the releases, and never removed
  expect((await leftBehind(host)).filter((line) => !line.endsWith(NAME))).toEqual([]);
}, 180_000);

test("a candidate that fails its gates never stops it: no request fails", async () => {
  const before = await runByHand("--restart", "on-failure:3");
  const load = new Load(host.url, { keepAlive: 3, fresh: 2, pause: 20 });
  const { outputs, log } = await deploy("broken", { adopt: NAME, "start-timeout": "2s" });
  await noneFailed(load);
  expect(outputs).toMatchObject({ status: "rolled-back", "previous-release": "adopted" });
  expect(outputs.reason).toContain(`${NAME} still serves.`);
  expect(log).toContain(`The host goes back to ${NAME}.`);
  await isAsItWas(before);
  expect((await byHand()).State.StartedAt).toBe(before.State.StartedAt);
}, 90_000);

test.each([
  ["a release that turns bad", undefined],
  ["a runner that is killed", async (step: ReturnType<typeof start>) => step.kill("SIGKILL")],
  [
    "a host that loses its power",
    async () => {
      await docker(["kill", host.container]);
      await docker(["start", host.container]);
    },
  ],
])(
  "%s in the bake is followed by the container made by hand, as it was",
  async (_, strike) => {
    const before = await runByHand("--restart", "on-failure:3");
    const step = start(strike ? "echo2" : "turnsbad", { adopt: NAME, "bake-time": "60s", lease: "15s" });
    await step.reaches("bake");
    await strike?.(step);
    const { outputs } = await step.ended;
    if (outputs.status !== undefined) expect(outputs.status).toBe("rolled-back");
    await settled(host);
    await isAsItWas(before);
    await deployed("echo2", { adopt: NAME });
    expect(await oneRelease()).toBe("echo2");
  },
  150_000,
);

test("with strategy recreate it has ended before the candidate begins, and comes back when that one fails", async () => {
  const before = await runByHand("--restart", "always");
  const step = start("silent", { adopt: NAME, strategy: "recreate", "start-timeout": "3s" });
  await step.says(/ started in place of /);
  expect((await byHand()).State.Running).toBe(false);
  const { outputs, log } = await step.ended;
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "probe" });
  expect(log).toMatch(new RegExp(`^Nothing was served for \\d+\\.\\d\\d s; ${NAME} serves now\\.$`, "m"));
  await isAsItWas(before);
  await deployed("echo2", { adopt: NAME, strategy: "recreate" });
  expect(await oneReleaseByItself()).toBe("echo2");
}, 120_000);

test.each([
  ["a container that is not there", [], { adopt: "web2" }, `the host has no container "web2"`],
  ["one that does not have the port", ["-p", "8080:5000"], {}, "does not publish port 80 (http-port)"],
  ["one that would be gone once stopped", ["--rm"], {}, "was started with --rm"],
])(
  "refuses %s, and changes nothing",
  async (_, options, more, why) => {
    await runByHand(...options);
    const state = await containers();
    const { outputs } = await deploy("echo2", { adopt: NAME, ...more });
    expect(outputs).toMatchObject({ status: "failed", "failed-gate": "preflight" });
    expect(outputs.reason).toMatch(/^adopt: /);
    expect(outputs.reason).toContain(why);
    expect(await containers()).toBe(state);
  },
  90_000,
);

test("refuses one that is stopped already, and says with dry-run what it would do to one that runs", async () => {
  await runByHand();
  const planned = await deploy("echo2", { adopt: NAME, "dry-run": "true" });
  expect([planned.outputs.status, planned.code]).toEqual(["unchanged", 0]);
  expect(planned.log).toContain("Would make /var/lib/hello-devops/web on the host");
  await inBox(host, "docker", "stop", "-t", "0", NAME);
  const { outputs } = await deploy("echo2", { adopt: NAME });
  expect(outputs.reason).toBe(`adopt: "${NAME}" does not run. Nothing was changed.`);
}, 90_000);
