import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { Load } from "../support/load";
import { lookAt } from "../support/outside";
import { basicInputs, startStep } from "../support/runner";

const bed = theBed();
const host = myHost(bed);
beforeAll(() => resetHost(host), 60_000);
afterAll(() => resetHost(host), 60_000);

const deploy = (image: string, more = {}) =>
  startStep("deploy-ec2", { ...basicInputs(bed, host, image), ...more }).ended;

test("the first deploy brings the release up, and the host serves it", async () => {
  const ended = await deploy("good1");
  expect(ended.outputs).toMatchObject({ status: "deployed", release: "good1", "previous-release": "", url: host.url });
  expect(ended.code).toBe(0);
  expect(await lookAt(host)).toEqual({
    serves: "good1",
    running: ["web-good1"],
    containers: ["web-good1 running always", "web-proxy running always"],
    networks: ["hello-devops-web"],
    current: "good1",
    journal: false,
    locked: false,
    releases: ["good1"],
  });
}, 60_000);

test("the second deploy moves all traffic without a failed request and keeps the old release, stopped", async () => {
  const load = new Load(host.url, { keepAlive: 8, fresh: 4 });
  const ended = await deploy("good2");
  const { failed, requests, byRelease } = await load.stop();
  expect(ended.outputs).toMatchObject({ status: "deployed", release: "good2", "previous-release": "good1" });
  expect({ failed, old: byRelease.good1 ?? 0, new: byRelease.good2 ?? 0 }).toEqual({
    failed: 0,
    old: expect.any(Number),
    new: expect.any(Number),
  });
  expect(requests).toBeGreaterThan(100);
  expect(await lookAt(host)).toMatchObject({
    serves: "good2",
    containers: ["web-good1 exited no", "web-good2 running always", "web-proxy running always"],
    current: "good2",
    journal: false,
    locked: false,
  });
}, 60_000);

test("the same deploy again is unchanged and touches nothing", async () => {
  const before = await lookAt(host);
  const ended = await deploy("good2");
  expect(ended.outputs.status).toBe("unchanged");
  expect(await lookAt(host)).toEqual(before);
}, 60_000);

test("a release that is not healthy is rolled back, and the job log says why", async () => {
  const load = new Load(host.url, { keepAlive: 8, fresh: 4 });
  const ended = await deploy("broken", { "start-timeout": "3s" });
  const { failed } = await load.stop();
  expect(ended.code).toBe(1);
  expect(ended.outputs).toMatchObject({ status: "rolled-back", "failed-gate": "probe", release: "broken" });
  expect(failed).toBe(0);
  expect(await lookAt(host)).toMatchObject({
    serves: "good2",
    containers: ["web-good1 exited no", "web-good2 running always", "web-proxy running always"],
    journal: false,
    locked: false,
    releases: ["good1", "good2"],
  });
}, 60_000);
