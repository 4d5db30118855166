import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { docker } from "../bed/run";
import { myHost, theBed } from "../support/bed";
import { judge, settled } from "../support/judge";
import { Load } from "../support/load";
import { inBox, until, whoServes } from "../support/outside";
import { Quick } from "../support/quick";
import type { Ended, Inputs } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);

beforeAll(() => resetHost(host), 120_000);
afterAll(() => resetHost(host), 60_000);

/** The ports of the slots that take traffic, as the proxy itself sees them: none is in maintenance or drain (bits 0 to 5 but 2). */
async function portsInUse(): Promise<number[]> {
  const script = `docker exec web-proxy bash -c 'exec 3<>/dev/tcp/127.0.0.1/9999; echo "show servers state app" >&3; cat <&3' |
awk '$2 == "app" { print $7, $19 }'`;
  const slots = (await inBox(host, "bash", "-c", script)).split("\n").map((line) => line.split(" ").map(Number));
  return slots.flatMap(([admin = 1, port = 0]) => ((admin & 0b111011) === 0 ? [port] : []));
}

/** A deploy under load. Nothing may fail in it, however it ends, and the judge must be content. */
async function underLoad(image: string, more: Inputs): Promise<Ended> {
  const load = new Load(host.url, { keepAlive: 4, fresh: 3, pause: 5 });
  const ended = await quick.deploy(image, { "drain-timeout": "3s", "bake-time": "1s", ...more });
  const { failed, failures, requests } = await load.stop();
  expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  expect(requests).toBeGreaterThan(100);
  await settled(host);
  expect((await judge(host)).wrong).toEqual([]);
  return ended;
}

async function serves(version: string, port: number): Promise<void> {
  expect([await whoServes(host), ...(await portsInUse())]).toEqual([version, port]);
}

async function rebooted(version: string): Promise<void> {
  await docker(["restart", host.container]);
  await inBox(host, "bed-ctl", "wait");
  await until(`${version} serves`, async () => (await whoServes(host)) === version);
  expect((await judge(host)).wrong).toEqual([]);
}

test("a release that listens on another port takes the traffic without a failed request, and a reboot finds it", async () => {
  await quick.deployed("echo1", { port: "5000", version: "on-5000", "drain-timeout": "3s" });
  const ended = await underLoad("otherport", { port: "6000", version: "on-6000" });
  expect(ended.outputs).toMatchObject({ status: "deployed", "previous-release": "on-5000" });
  await serves("on-6000", 6000);
  await rebooted("on-6000");
  await serves("on-6000", 6000);
}, 120_000);

test.each([
  ["does not listen on the port that it says", "otherport", { port: "7000" }, "probe"],
  ["fails its probe on another port", "broken", { port: "5000", "start-timeout": "3s" }, "probe"],
])(
  "a release that %s leaves the old one serving on its own",
  async (_, image, more, gate) => {
    const ended = await underLoad(image, { version: "bad", "start-timeout": "3s", ...more });
    expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": gate });
    await serves("on-6000", 6000);
  },
  90_000,
);

test("a release on another port that turns bad after the shift gives the traffic back to the old one's port", async () => {
  const load = new Load(host.url, { keepAlive: 2, fresh: 2, pause: 5 });
  const step = quick.start("turnsbad", { port: "5000", version: "worse", "drain-timeout": "3s", "bake-time": "20s" });
  await step.reaches("bake");
  await load.answeredBy("worse");
  expect(await portsInUse()).toEqual([5000]);
  expect((await step.ended).outputs).toMatchObject({ status: "rolled-back", "failed-gate": "bake" });
  const { failures } = await load.stop();
  expect(failures.filter((failure) => !failure.endsWith("status 500 from worse"))).toEqual([]);
  await settled(host);
  await serves("on-6000", 6000);
  expect((await judge(host)).wrong).toEqual([]);
  await rebooted("on-6000");
  await serves("on-6000", 6000);
}, 120_000);

test("the port changes back in a deploy that reloads the proxy, and by the image's own EXPOSE", async () => {
  const ended = await underLoad("echo2", { version: "back", "response-timeout": "40s" });
  expect(ended.outputs).toMatchObject({ status: "deployed", "previous-release": "on-6000" });
  expect(ended.log).toContain("The proxy's settings change: it is reloaded once");
  await serves("back", 5000);
  await rebooted("back");
}, 120_000);
