import { expect, test } from "@jest/globals";
import request from "supertest";
import { Health } from "../../app/src/health";
import { watchLoopLag } from "../../app/src/loop-lag";
import { sampleApp } from "./sample";

test("/health is 200 with every check ok once the app is ready", async () => {
  const answer = await request(sampleApp().app).get("/health").expect(200).expect("Cache-Control", "no-store");
  expect(answer.body).toEqual({
    status: "ready",
    checks: { started: { ok: true }, accepting: { ok: true }, eventLoop: { ok: true, lagMs: 3, maxLagMs: 1000 } },
  });
});

test("/health is 503 while shutting down", async () => {
  const { app, health } = sampleApp();
  health.stopping();
  const answer = await request(app).get("/health").expect(503);
  expect(answer.body).toMatchObject({ status: "stopping", checks: { accepting: { ok: false } } });
});

test("/health is 503 while the event loop is too late to serve, and ready again after it", async () => {
  let lag = 4000;
  const { app } = sampleApp({ lagMs: () => lag });
  const answer = await request(app).get("/health").expect(503);
  expect(answer.body).toMatchObject({ status: "overloaded", checks: { eventLoop: { ok: false, lagMs: 4000 } } });
  lag = 0;
  await request(app).get("/health").expect(200);
});

test("a process that has not started yet is not ready", () => {
  expect(new Health(() => 0, 1000).report().status).toBe("starting");
});

test("the event loop's lag is how late its timer already is", () => {
  let now = 0;
  const lag = watchLoopLag(500, () => now);
  now = 499;
  expect(lag.ms()).toBe(0);
  now = 2600;
  expect(lag.ms()).toBe(2100);
  lag.stop();
});
