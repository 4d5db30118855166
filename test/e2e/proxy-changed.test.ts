import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { docker } from "../bed/run";
import {
  deploy,
  deployed,
  freshHost,
  host,
  lightLoad,
  noneFailed,
  oneRelease,
  oneReleaseByItself,
  other,
  standing,
  start,
} from "../support/bad-day";
import { killGuard } from "../support/faults";
import { leftBehind } from "../support/leftovers";
import { type Asked, Load } from "../support/load";
import { inBox, inspectInBox, until, whoServes } from "../support/outside";

const proxy = async () => {
  const { Id, Config } = await inspectInBox<{ Id: string; Config: { Image: string } }>(host, "web-proxy");
  return { id: Id, image: Config.Image };
};

/** Another name of the same image: to Docker and to a deploy it is another one. */
const names = ["proxy.test/haproxy:one", "proxy.test/haproxy:two"];
let live = "";
let was = { id: "", image: "" };
let next = "";

beforeAll(freshHost, 60_000);
beforeEach(async () => {
  live = await standing();
  was = await proxy();
  next = names.find((name) => name !== was.image) ?? "";
  await inBox(host, "docker", "tag", was.image, next);
}, 120_000);
afterAll(freshHost, 60_000);

const rebooted = async (): Promise<void> => {
  await docker(["restart", host.container]);
  await inBox(host, "bed-ctl", "wait");
  await until("it serves", async () => (await whoServes(host)) !== undefined);
};

test("a new proxy-image takes the old proxy's place when the candidate is good; requests fail in the printed moment alone", async () => {
  const asked: Asked[] = [];
  const load = new Load(host.url, { keepAlive: 3, fresh: 2, pause: 5, each: (one) => asked.push(one) });
  const ended = await deploy(other(live), { "proxy-image": next });
  const { requests, failed } = await load.stop();
  expect([ended.outputs.status, ended.code]).toEqual(["deployed", 0]);
  const [, dark = "0"] =
    new RegExp(`^Nothing was served for (\\d+\\.\\d\\d) s; ${live}\\S* serves now\\.$`, "m").exec(ended.log) ?? [];
  const wrong = asked.filter(({ failure }) => failure);
  expect(failed).toBeLessThan(requests);
  expect(Math.max(...wrong.map(({ to }) => to)) - Math.min(...wrong.map(({ from }) => from))).toBeLessThanOrEqual(
    Number(dark) * 1000 + 200,
  );
  expect(await oneReleaseByItself()).toBe(other(live));
  const now = await proxy();
  expect([now.image, now.id === was.id]).toEqual([next, false]);
  expect(await leftBehind(host)).toEqual([]);
  await rebooted();
  expect(await oneRelease()).toBe(other(live));
}, 120_000);

test("a candidate that fails its gates leaves the proxy alone, and no request fails", async () => {
  const load = lightLoad();
  const { outputs } = await deploy("broken", { "proxy-image": next, "start-timeout": "2s" });
  await noneFailed(load);
  expect(outputs.status).toBe("rolled-back");
  expect(await proxy()).toEqual(was);
  expect(await oneRelease()).toBe(live);
  expect(await leftBehind(host)).toEqual([]);
}, 90_000);

test("a proxy-image that can't read the configuration is refused while the old proxy serves", async () => {
  await inBox(
    host,
    "bash",
    "-c",
    `printf 'FROM ${was.image}\\nENTRYPOINT ["false"]\\n' | docker build -q -t proxy.test/none:1 -`,
  );
  const load = lightLoad();
  const { outputs } = await deploy(other(live), { "proxy-image": "proxy.test/none:1" });
  await noneFailed(load);
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "proxy" });
  expect(outputs.reason).toContain("proxy.test/none:1 (proxy-image) refuses the candidate's configuration");
  expect(await proxy()).toEqual(was);
  expect(await oneRelease()).toBe(live);
}, 90_000);

test("a release that turns bad behind the new proxy is taken back, and the proxy with it", async () => {
  const { outputs, log } = await deploy("turnsbad", { "proxy-image": next, "bake-time": "20s" });
  expect(outputs).toMatchObject({ status: "rolled-back", "failed-gate": "bake" });
  expect(log).toContain(`The proxy changes from ${was.image} to ${next}: web-proxy is stopped`);
  expect(await proxy()).toEqual(was);
  expect(await oneRelease()).toBe(live);
  expect(await leftBehind(host)).toEqual([]);
  await rebooted();
  expect(await oneRelease()).toBe(live);
}, 120_000);

test.each([
  ["a runner that is killed", async (step: ReturnType<typeof start>) => step.kill("SIGKILL")],
  [
    "a host that is rebooted",
    async () => {
      await docker(["kill", host.container]);
      await docker(["start", host.container]);
    },
  ],
])(
  "%s behind the new proxy ends with the old one and the old release",
  async (_, strike) => {
    const step = start(other(live), { "proxy-image": next, "bake-time": "60s", lease: "15s" });
    await step.reaches("bake");
    await strike(step);
    await step.ended;
    expect(await oneReleaseByItself()).toBe(live);
    expect(await proxy()).toEqual(was);
    expect(await leftBehind(host)).toEqual([]);
  },
  150_000,
);

test("a guard that dies after the commit leaves the rest to the next one: the new proxy stays, the old one goes", async () => {
  const step = start(other(live), { "proxy-image": next, "drain-timeout": "5s" });
  await step.reaches("retire");
  await inBox(host, "bash", "-c", killGuard);
  expect((await step.ended).outputs.status).toBe("deployed");
  expect(await oneReleaseByItself()).toBe(other(live));
  expect((await proxy()).image).toBe(next);
  expect(await leftBehind(host)).toEqual([]);
}, 120_000);

test("http-port moves the proxy: it answers there, and no longer where it was", async () => {
  const { outputs, log } = await deploy(other(live), { "http-port": "8080" });
  expect(outputs).toMatchObject({ status: "deployed", url: `http://${host.address}:8080` });
  expect(log).toMatch(/^The proxy changes .*from port 80 to 8080: web-proxy is stopped, /m);
  const answer = await fetch(`${outputs.url}/version`);
  expect(answer.headers.get("x-release")).toBe(other(live));
  await answer.text();
  expect(await whoServes(host)).toBe(undefined);
  await deployed(live);
  expect(await oneReleaseByItself()).toBe(live);
}, 120_000);

test("an http-port that something outside Docker holds is refused, and the proxy is back where it was", async () => {
  await inBox(host, "bash", "-c", "socat TCP-LISTEN:8081,fork,reuseaddr - </dev/null >/dev/null 2>&1 & disown");
  const { outputs } = await deploy(other(live), { "http-port": "8081" });
  await inBox(host, "pkill", "-f", "socat TCP-LISTEN:8081");
  expect(outputs.status).toBe("rolled-back");
  expect(outputs.reason).toMatch(/^http-port: port 8081 of the host is held by something outside Docker/);
  expect(await proxy()).toEqual(was);
  expect(await oneRelease()).toBe(live);
}, 120_000);

test("strategy recreate and a new proxy-image share one moment without an answer", async () => {
  const { outputs, log } = await deploy(other(live), { "proxy-image": next, strategy: "recreate" });
  expect(outputs.status).toBe("deployed");
  expect(log.match(/^Nothing was served for/gm)).toHaveLength(1);
  expect((await proxy()).image).toBe(next);
  expect(await oneReleaseByItself()).toBe(other(live));
  await deployed(live);
}, 120_000);
