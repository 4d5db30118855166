import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { load, mostUnderWay, type Plan } from "../../scripts/load/load";
import { type Ask, mix } from "../../scripts/load/mix";
import { readOptions } from "../../scripts/load/options";
import { remarks, rows } from "../../scripts/load/report";
import { sampleApp } from "./sample";

const root = join(__dirname, "..", "..");
const home: Ask = { method: "GET", path: "/" };

/** A load in no time: its clock goes on only by its sleeps. */
function quickly(
  plan: Partial<Plan>,
  send: (ask: Ask, now: number) => Promise<string>,
  signal = new AbortController().signal,
) {
  let now = 0;
  const sleep = async (ms: number) => {
    now += ms;
  };
  const tools = { clock: { now: () => now, sleep }, send: (ask: Ask) => send(ask, now), signal };
  return load({ rate: 20, count: 60, ask: () => home, ...plan }, tools);
}

test("of each hundred requests exactly the shares are errors and slow, and none comes twice in a row", () => {
  const asks = Array.from({ length: 300 }, (_, n) => mix({ errors: 5, slow: 10 })(n).path);
  const count = (start: string) => asks.filter((path) => path.startsWith(start)).length;
  expect([count("/fault/error"), count("/fault/slow")]).toEqual([15, 30]);
  expect(asks.some((path, n) => path === "/fault/error" && asks[n + 1] === path)).toBe(false);
  expect(new Set(asks)).toEqual(
    new Set([
      ...["/", "/style.css", "/page.js", "/status", "/version", "/not-there", "/fault/error"],
      ...[300, 700, 1500, 3000].map((ms) => `/fault/slow?ms=${ms}`),
    ]),
  );
});

test("requests go out at a steady pace", async () => {
  const times: number[] = [];
  const { answers } = await quickly({ rate: 20, count: 60 }, async (_ask, now) => {
    times.push(now);
    return "200";
  });
  expect(answers).toHaveLength(60);
  expect(times).toEqual(Array.from({ length: 60 }, (_, n) => n * 50));
});

test("an app that does not answer is not asked more and more", async () => {
  const all = new Promise<string>((resolve) => setImmediate(resolve, "200")); // comes after every sleep of the load's clock
  const done = await quickly({ count: 250 }, () => all);
  expect([done.answers.length, done.leftOut]).toEqual([mostUnderWay, 150]);
  expect(remarks(done)).toContain("150 were left out: too many were waiting for their answer.");
});

test("a load that is stopped tells what it did until then", async () => {
  const stop = new AbortController();
  const { answers } = await quickly(
    { count: 1000 },
    async (_ask, now) => {
      if (now >= 500) stop.abort();
      return "200";
    },
    stop.signal,
  );
  expect(answers).toHaveLength(11);
});

test("the report has each path once, with its answers and how long they took", () => {
  const slow = (ms: number, outcome: string) => ({ ask: { ...home, path: `/fault/slow?ms=${ms}` }, outcome, ms });
  const answers = [
    slow(300, "200"),
    { ask: home, outcome: "200", ms: 2 },
    slow(900, "200"),
    slow(15_000, "ECONNRESET"),
  ];
  expect(rows(answers).slice(1)).toEqual([
    ["GET /", "1", "200", "2 ms", "2 ms", "2 ms"],
    ["GET /fault/slow", "3", "2 x 200, 1 x ECONNRESET", "900 ms", "15000 ms", "15000 ms"],
  ]);
});

test.each([
  ["no address", [], '--url: expected where the app answers, such as http://127.0.0.1:5000, got "".'],
  [
    "a path in the address",
    ["--url", "http://a/b"],
    '--url: expected where the app answers, such as http://127.0.0.1:5000, got "http://a/b".',
  ],
  [
    "more than is kind",
    ["--url", "http://a", "--rate", "1000"],
    '--rate: expected a whole number from 1 to 100, got "1000".',
  ],
  ["no end", ["--url", "http://a", "--for", "2h"], '--for: expected a duration from 1s to 1h, got "2h".'],
  [
    "too much of both",
    ["--url", "http://a", "--errors", "60", "--slow", "41"],
    "--errors and --slow are percent of the same requests: together 100 at most.",
  ],
  ["a name that is no option", ["--url", "http://a", "--fast"], "Unknown option '--fast'"],
])("%s is refused in one sentence", (_what, args, sentence) => {
  expect(() => readOptions(args)).toThrow(sentence);
});

async function loaded(faulty: boolean) {
  const { app, registry } = sampleApp({ faulty });
  const server = createServer(app).listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ["scripts/load.ts", "--url", url, "--rate", "100", "--for", "1s"];
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", ...args], { cwd: root });
  return { stdout, metrics: await registry.metrics() };
}

test("the command asks the app for pages, errors and slow answers, and says what came back", async () => {
  const { stdout, metrics } = await loaded(true);
  for (const row of [
    /GET \/ +\d+ +200 /,
    /GET \/fault\/error +5 +500 /,
    /GET \/fault\/slow +5 +200 /,
    /GET \/not-there +\d+ +404 /,
  ])
    expect(stdout).toMatch(row);
  expect(stdout).toMatch(/^100 requests in \d\.\d s, /m);
  expect(metrics).toContain('_count{method="GET",route="/fault/error",status="5xx"} 5');
}, 30_000);

test("an app without faults still gets its load, and the person is told how to have them", async () => {
  const { stdout } = await loaded(false);
  expect(stdout).toContain("The app has no /fault/...: start it with FAULTS=on to see errors and slow answers.");
}, 30_000);
