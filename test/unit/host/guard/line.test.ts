import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { type GuardProcess, program } from "./guard-process";
import { HostFolder } from "./host-folder";
import { DEPLOY, deployUpTo, onTheNew, onTheOld } from "./one-deploy";
import { until } from "./until";

// The one exec in the proxy's container through which a deploy tells it all (40-proxy.sh).
jest.setTimeout(60_000);
let host: HostFolder;
let guard: GuardProcess;

beforeEach(() => {
  host = HostFolder.serving();
});
afterEach(() => host.end());

const FILLED = 1 + DEPLOY.findIndex((step) => typeof step !== "function" && step[1] === "fill");
const SHIFT = ["DO", "shift", "green", "blue", "172.18.0.2"] as const;
/** Orders of the line are logged without the program that an exec of its own brings. */
const onTheLine = () => host.calls().filter((call) => call.startsWith("exec shop-proxy bash -c  - ")).length;
const byThemselves = () => host.calls().filter((call) => /^exec shop-proxy bash -c ask\(/.test(call)).length;
const lines = () => host.calls().filter((call) => call.startsWith("exec -i ")).length;

/** A process of this host's docker still runs. */
const dockerRuns = () =>
  readdirSync("/proc").some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(host.path("bin/docker"));
    } catch {
      return false;
    }
  });

async function filled(program?: string): Promise<void> {
  guard = host.guard(program ? { program } : {});
  await deployUpTo(FILLED, host, guard);
}

test("tells the proxy all of a deploy through one exec, which ends with the guard", async () => {
  guard = host.guard();
  await deployUpTo(DEPLOY.length, host, guard);
  const before = byThemselves();
  expect(await guard.ask("COMMIT")).toBe("COMMITTED");
  expect(await guard.ask("FINISH")).toBe("RETIRED");
  expect([lines(), byThemselves()]).toEqual([1, before]);
  expect(dockerRuns()).toBe(true);
  expect(await guard.ask("BYE")).toBe("OK");
  await until(() => !dockerRuns(), "the end of the exec");
  expect(host.outcome()).toEqual(onTheNew);
});

test("ends it when the guard is killed", async () => {
  await filled();
  await guard.kill();
  await until(() => !dockerRuns(), "the end of the exec");
});

test("tells the proxy each order by an exec of its own once that one has ended", async () => {
  await filled();
  host.order("fail-exec"); // it ends at the next order
  expect(await guard.refused(...SHIFT)).toMatch(/^FAIL /);
  host.countermand("fail-exec");
  const before = [lines(), onTheLine()];
  expect(await guard.ask(...SHIFT)).toBe("OK");
  expect([lines(), onTheLine()]).toEqual(before);
  expect(host.outcome()).toMatchObject({ green: "ready shop-2", blue: "drain shop-1" });
  expect(await guard.ask("ABORT")).toBe("ABORTED");
  expect(host.outcome()).toEqual(onTheOld);
});

test("waits for one that hangs once, and not with each order", async () => {
  await filled(program.replace("ORDER_SECONDS=5", "ORDER_SECONDS=1"));
  const already = byThemselves();
  host.order("hold-exec");
  guard.send("DO 90 shift green blue 172.18.0.2");
  await until(() => byThemselves() > already, "the same order by an exec of its own");
  host.countermand("hold-exec");
  await guard.says(/^OK 90/);
  const before = onTheLine();
  expect(await guard.ask(...SHIFT)).toBe("OK");
  expect(onTheLine()).toBe(before);
});

const ORDERS = /readonly ORDERS='([^']+)'/.exec(program)?.[1] ?? "";

/** What runs in the proxy's container, beside a server that answers each line with it. */
async function listening(body: (tell: (order: string) => void, heard: () => string, asked: string[]) => Promise<void>) {
  const asked: string[] = [];
  const server: Server = createServer((socket) => {
    socket.on("data", (text) => {
      asked.push(String(text).trim());
      socket.end(`heard ${text}`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const inside = spawn("bash", ["-c", ORDERS.replaceAll("9999", `${(server.address() as AddressInfo).port}`)]);
  let heard = "";
  inside.stdout.on("data", (text) => {
    heard += text;
  });
  await body(
    (order) => inside.stdin.write(`${order}\n`),
    () => heard,
    asked,
  );
  inside.stdin.end();
  expect(await once(inside, "exit")).toEqual([expect.any(Number), null]);
  server.close();
}

const uptime = () => Math.round(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 100);

test("takes up no order whose time is over: it would land behind the undo", () =>
  listening(async (tell, heard, asked) => {
    tell(`1|${uptime() - 1}||set server app/green state ready`);
    tell(`2|${uptime() + 1000}||show info`);
    await until(() => heard().endsWith("2 yes\n"), "an answer");
    expect(asked).toEqual(["show info; show servers state app"]);
    expect(heard()).toBe("2\nheard show info; show servers state app\n2 yes\n");
  }));

test("does an order with a pattern only where the proxy's state matches it", () =>
  listening(async (tell, heard, asked) => {
    tell(`1|${uptime() + 1000}|app [0-9]+ green|shutdown sessions`);
    tell(`2|${uptime() + 1000}|show servers|shutdown sessions`);
    await until(() => heard().endsWith("2 yes\n"), "an answer");
    expect(heard()).toMatch(/^1 no\n2\n/);
    expect(asked.filter((order) => order.startsWith("shutdown"))).toHaveLength(1);
  }));
