import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { Load } from "../support/load";
import { mirroredProxy } from "../support/mirror";
import { inBox, inspectInBox, lookAt } from "../support/outside";
import { good, Quick } from "../support/quick";
import { recorder } from "../support/recorder";
import { Echo, eventTimes, slowUpload, timed } from "../support/streams";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);
let mirror = "";

beforeAll(async () => {
  await resetHost(host);
  mirror = await mirroredProxy(bed, host);
}, 120_000);
afterAll(() => resetHost(host), 60_000);

test("runs the proxy from proxy-image, pulled from a mirror with the registry's login", async () => {
  await inBox(host, "bash", "-c", `docker image rm -f ${mirror} >/dev/null 2>&1 || true`);
  await quick.deployed("echo1", { "proxy-image": mirror, "drain-timeout": "3s" });
  expect(await inspectInBox(host, "web-proxy", "{{json .Config.Image}}")).toBe(mirror);
  expect((await lookAt(host)).serves).toBe("echo1");
}, 90_000);

test("tells the app the client's own address, scheme and host, whatever the client claims", async () => {
  const claims = { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
  const { seen, from } = await new Promise<{ seen: Record<string, string>; from: string }>((resolve, reject) => {
    const headers = { ...claims, host: "shop.example" };
    const asked = get(`${host.url}/headers`, { agent: false, headers }, (answer) => {
      const from = answer.socket.localAddress ?? "";
      let text = "";
      answer.on("data", (more) => {
        text += more;
      });
      answer.on("end", () => resolve({ seen: JSON.parse(text), from }));
    });
    asked.on("error", reject);
  });
  expect(seen).toMatchObject({
    "x-forwarded-for": from,
    "x-forwarded-proto": "http",
    "x-forwarded-host": "shop.example",
    host: "shop.example",
  });
}, 30_000);

test("with strategy blue-green both releases run during the bake, and traffic-steps 100 moves all requests at once", async () => {
  const answeredBy: string[] = [];
  let going = true;
  const client = (async () => {
    while (going) {
      const answer = await fetch(`${host.url}/version`);
      await answer.text();
      const release = answer.headers.get("x-release") ?? "";
      if (answeredBy.at(-1) !== release) answeredBy.push(release);
    }
  })();
  const step = quick.start("echo2", {
    strategy: "blue-green",
    "traffic-steps": "100",
    "bake-time": "1s",
    "proxy-image": mirror,
    "drain-timeout": "3s",
  });
  await step.reaches("bake");
  const baking = await lookAt(host);
  expect([...baking.running].sort()).toEqual(["web-echo1", "web-echo2"]);
  expect(baking).toMatchObject({ serves: "echo2", current: "echo1" });
  good(await step.ended);
  going = false;
  await client;
  expect(answeredBy).toEqual(["echo1", "echo2"]);
}, 60_000);

test("lets a request in flight end within drain-timeout, and cuts a longer one when it is over", async () => {
  await quick.deployed("echo2", { "drain-timeout": "3s", force: "true" }); // with the usual proxy again, which cuts what it must
  const step = quick.start("echo1", { "bake-time": "2s", "drain-timeout": "3s", version: "drains" });
  await step.reaches("probe");
  const short = timed(`${host.url}/slow?ms=3500`);
  const long = timed(`${host.url}/slow?ms=40000`);
  await step.reaches("retire");
  const retiring = performance.now();
  expect((await short).status).toBe(200);
  const cut = await long;
  expect(cut.status).not.toBe(200);
  const after = (cut.endedAt - retiring) / 1000;
  expect(after).toBeGreaterThan(2.5);
  expect(after).toBeLessThan(10);
  good(await step.ended);
}, 90_000);

test("answers 504 after response-timeout, while uploads, events and WebSockets that take longer live on", async () => {
  const load = new Load(host.url, { keepAlive: 8, fresh: 2 });
  await quick.deployed("echo1", { "response-timeout": "1s", "tunnel-timeout": "2s", version: "timeouts" });
  expect(await load.stop()).toMatchObject({ failed: 0, failures: [] }); // though the proxy was reloaded
  const echo = await Echo.open(host.url);
  const talk = async () => {
    const said: string[] = [];
    for (const word of ["a", "b", "c", "d", "e"]) {
      said.push(await echo.say(word));
      await sleep(500); // the pace of the talk, not a wait for a state
    }
    return said;
  };
  const [late, upload, events, said] = await Promise.all([
    timed(`${host.url}/slow?ms=20000`),
    slowUpload(`${host.url}/upload`, 6, 400),
    eventTimes(`${host.url}/sse?ms=400`, 7),
    talk(),
  ]);
  expect(late.status).toBe(504);
  expect(late.took).toBeGreaterThanOrEqual(1);
  expect(late.took).toBeLessThan(5);
  expect(JSON.parse(upload)).toEqual({ bytes: 6000, version: "1" });
  expect(
    events
      .map((at, n) => at - (events[n - 1] ?? 0))
      .slice(1)
      .every((gap) => gap > 100),
  ).toBe(true);
  expect(said).toEqual(["a", "b", "c", "d", "e"]);
  silence = ((await echo.closed) - echo.answeredAt) / 1000;
}, 60_000);

let silence = 0; // measured above, beside the rest

test("closes a WebSocket that was silent for tunnel-timeout", () => {
  expect(silence).toBeGreaterThan(1.9);
  expect(silence).toBeLessThan(8);
});

test("names the release in release-header alone: renamed, never the app's own, and off", async () => {
  const headersOf = async (forged: string) => (await fetch(`${host.url}/forged?header=${forged}`)).headers;
  const deployed = (version: string, header: string) =>
    quick.deployed("echo1", { command: recorder, version, "release-header": header });
  await deployed("first", "X-Release");
  expect((await headersOf("x-release")).get("x-release")).toBe("first");
  await deployed("second", "X-Served-By");
  expect((await headersOf("x-served-by")).get("x-served-by")).toBe("second");
  expect((await headersOf("x-other")).get("x-release")).toBe(null);
  await deployed("third", "off");
  expect((await headersOf("x-other")).get("x-served-by")).toBe(null);
  expect((await headersOf("x-other")).get("x-release")).toBe(null);
}, 90_000);
