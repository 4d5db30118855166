import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { judge } from "../support/judge";
import { Load } from "../support/load";
import { type Answer, chunksOf, eventsIn, pacedUpload, SlowClients, Stream, sha256 } from "../support/long-lived";
import { inBox, lookAt } from "../support/outside";
import { good, Quick } from "../support/quick";
import type { Step } from "../support/runner";
import { Echo } from "../support/streams";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);

beforeAll(() => resetHost(host), 120_000);
afterAll(() => resetHost(host), 60_000);

const now = () => performance.now();
const seconds = (from: number, to: number) => (to - from) / 1000;
const phase = (step: Step, name: string) => step.reaches(name).then(now);

/** The most memory that a process of HAProxy ever had, in MiB. */
async function peakOfProxy(): Promise<number> {
  const script = "grep -h VmHWM $(pgrep -x haproxy | sed 's,.*,/proc/&/status,')";
  const peaks = [...(await inBox(host, "bash", "-c", script)).matchAll(/(\d+) kB/g)].map(([, kb]) => Number(kb) / 1024);
  expect(peaks.length).toBeGreaterThan(0);
  return Math.max(...peaks);
}

const versionIn = ({ body }: Answer): string => JSON.parse(body.toString()).version;

/** Streams that don't end by themselves, with the client's own way back: it reconnects once they are cut. */
async function endless() {
  const events = new Stream(`${host.url}/sse?ms=100`);
  const echo = await Echo.open(host.url);
  await events.begun;
  return {
    events: events.ended.then(async (ended) => {
      const again = new Stream(`${host.url}/sse?ms=100`);
      const reconnectedIn = seconds(ended.at, await again.begun);
      again.close();
      return { ...ended, reconnectedIn, next: await again.ended };
    }),
    talk: echo.talk(100).then(async (answers) => {
      const at = await echo.closed;
      const again = await Echo.open(host.url);
      const reconnectedIn = seconds(at, now());
      again.close();
      return { answers, at, release: echo.release, code: echo.closeCode, reconnectedIn, next: again.release };
    }),
  };
}

test("all that ends within drain-timeout is whole, and events and WebSockets go on until it is over", async () => {
  await quick.deployed("echo1", { "drain-timeout": "12s" });
  const peakBefore = await peakOfProxy();
  const slow = new SlowClients(host.url, 6, 3000);
  const step = quick.start("echo2", { "drain-timeout": "12s", "bake-time": "1s" });
  const phases = Promise.all(["shift", "bake", "retire"].map((name) => phase(step, name)));
  await step.reaches("start");
  const downloading = new Stream(`${host.url}/chunks?count=100&ms=100`);
  const uploading = pacedUpload(host.url, { mebibytes: 200, over: 7000, last: step.reaches("retire") });
  const { events: streaming, talk: talking } = await endless();
  const [shift = 0, bake = 0, retire = 0] = await phases;

  const upload = await uploading;
  expect(upload.release).toBe("echo1");
  expect(upload.answer).toEqual({ bytes: 200 * 1024 * 1024, sha256: upload.sha256, version: "1" });
  expect((await peakOfProxy()) - peakBefore).toBeLessThan(20); // MiB: it holds no part of the 200 for long

  const download = await downloading.ended;
  expect(download.at).toBeGreaterThan(retire);
  expect(download).toMatchObject({ status: 200, release: "echo1", whole: true });
  expect(download.body.length).toBe(100 * 65536);
  expect(sha256(download.body)).toBe(chunksOf("1", 100));

  const events = await streaming;
  const seen = eventsIn(events);
  expect(seen).toEqual(seen.map((_, n) => ({ n: n + 1, version: "1" })));
  expect(seen.length).toBeGreaterThan(10 * 5);
  expect(events).toMatchObject({ release: "echo1", whole: false });
  const drained = seconds(retire, events.at);
  expect(drained).toBeGreaterThan(11.5);
  expect(drained).toBeLessThan(20); // a busy machine needs a moment to look and to cut
  expect(events.reconnectedIn).toBeLessThan(1);
  expect(eventsIn(events.next)[0]).toEqual({ n: 1, version: "2" });

  const talk = await talking;
  expect(talk).toMatchObject({ release: "echo1", code: 1006, next: "echo2" });
  expect(talk.answers).toBeGreaterThan(10 * 5);
  expect(Math.abs(seconds(events.at, talk.at))).toBeLessThan(0.5);
  expect(talk.reconnectedIn).toBeLessThan(1);

  good(await step.ended);
  const answers = await slow.stop();
  expect(answers.filter(({ status, whole }) => status !== 200 || !whole)).toEqual([]);
  expect(answers.filter((answer) => `echo${versionIn(answer)}` !== answer.release)).toEqual([]);
  const releases = (of: readonly Answer[]) => [...new Set(of.map(({ release }) => release))];
  expect(releases(answers.filter(({ from }) => from < shift))).toEqual(["echo1"]);
  expect(releases(answers.filter(({ from }) => from > bake))).toEqual(["echo2"]);
  expect(answers.filter(({ from, at }) => from < shift && at > bake).length).toBeGreaterThan(0);
  expect((await judge(host)).wrong).toEqual([]);
}, 90_000);

test("a deploy that changes drain-timeout reloads the proxy, and what ran before has the old one from then on", async () => {
  const streaming = new Stream(`${host.url}/sse?ms=100`);
  await streaming.begun;
  const step = quick.start("echo1", { "drain-timeout": "2s", "bake-time": "3s", version: "short" });
  await step.says(/^The proxy's settings change: it is reloaded once/m);
  const reload = now();
  const events = await streaming.ended;
  const seen = eventsIn(events);
  expect(seen).toEqual(seen.map((_, n) => ({ n: n + 1, version: "2" })));
  expect(events).toMatchObject({ release: "echo2", whole: false });
  expect(seconds(reload, events.at)).toBeGreaterThan(11.5);
  expect(seconds(reload, events.at)).toBeLessThan(14);
  good(await step.ended);
}, 90_000);

test("what still runs when a short drain-timeout is over is cut, and the deploy ends", async () => {
  expect((await judge(host)).version).toBe("short"); // its own drain-timeout, 2 s, is the one that counts
  const others = new Load(host.url, { keepAlive: 2, fresh: 2, pause: 10 });
  const step = quick.start("echo2", { "drain-timeout": "2s", version: "next" });
  await step.reaches("start");
  const answering = [1, 2, 3].map(() => new Stream(`${host.url}/slow?ms=40000`).ended);
  const downloading = new Stream(`${host.url}/chunks?count=400&ms=100`);
  const uploading = pacedUpload(host.url, { mebibytes: 40, over: 40_000 });
  const { events: streaming, talk: talking } = await endless();
  const retire = await phase(step, "retire");

  const [download, upload, events, talk, ...answers] = await Promise.all([
    downloading.ended,
    uploading,
    streaming,
    talking,
    ...answering,
  ]);
  expect(download).toMatchObject({ status: 200, release: "short", whole: false });
  expect(events).toMatchObject({ release: "short", whole: false, next: { release: "next" } });
  expect(talk).toMatchObject({ release: "short", next: "next" });
  expect(upload).toMatchObject({ answer: undefined, whole: false });
  for (const { status } of answers) expect(status).toBe(undefined);
  const cut = [download, upload, events, talk, ...answers].map(({ at }) => seconds(retire, at));
  expect(Math.min(...cut)).toBeGreaterThan(1.5);
  expect(Math.max(...cut)).toBeLessThan(5);

  good(await step.ended);
  expect(seconds(retire, now())).toBeLessThan(10);
  expect(await others.stop()).toMatchObject({ failed: 0, failures: [] });
  expect((await lookAt(host)).containers).toEqual(
    expect.arrayContaining(["web-next running always", "web-short exited no"]),
  );
  expect((await judge(host)).wrong).toEqual([]);
}, 90_000);

test("with strategy recreate the old container ends in its own way what runs, within its stop-timeout", async () => {
  const recreate = { strategy: "recreate", "drain-timeout": "2s", "stop-timeout": "5s" };
  await quick.deployed("echo1", { ...recreate, version: "stops" });
  const step = quick.start("echo2", { ...recreate, version: "follows" });
  await step.reaches("guard");
  const finishing = new Stream(`${host.url}/slow?ms=4000`);
  const downloading = new Stream(`${host.url}/chunks?count=40&ms=100`);
  const tooLong = new Stream(`${host.url}/slow?ms=40000`);
  const streaming = new Stream(`${host.url}/sse?ms=100`);
  const echo = await Echo.open(host.url);
  const talking = echo.talk(100);
  const start = await phase(step, "start");

  const events = await streaming.ended;
  expect(events).toMatchObject({ release: "stops", whole: true });
  expect(events.body.toString()).toMatch(/event: end\ndata: \{\}\n\n$/);
  await talking;
  expect([echo.release, echo.closeCode]).toEqual(["stops", 1001]);
  const finished = await finishing.ended;
  expect(finished).toMatchObject({ status: 200, release: "stops", whole: true });
  expect(finished.at).toBeGreaterThan(events.at);
  const download = await downloading.ended;
  expect(download).toMatchObject({ release: "stops", whole: true });
  expect(sha256(download.body)).toBe(chunksOf("1", 40));
  const cut = await tooLong.ended;
  expect(cut.status).toBe(503); // sent again once, and nobody was there
  expect(seconds(start, cut.at)).toBeGreaterThan(4.5);
  expect(seconds(start, cut.at)).toBeLessThan(9);

  const ended = good(await step.ended);
  const dark = Number(/^Nothing was served for (\d+\.\d\d) s; follows serves now\.$/m.exec(ended.log)?.[1]);
  expect(dark).toBeGreaterThan(4.5);
  expect(dark).toBeLessThan(10);
  expect((await lookAt(host)).serves).toBe("follows");
  expect((await judge(host)).wrong).toEqual([]);
}, 90_000);
