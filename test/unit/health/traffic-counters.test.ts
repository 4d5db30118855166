import { expect, test } from "@jest/globals";
import { meanSince, servedIn } from "../../../src/health/traffic-counters";
import { SimulatedServer } from "../../support/simulated-traffic";

const read = (requests: number, errors: number) => ({ requests, errors, meanTime: 10 });

test("what was served is the difference of the counters, which outlive releases", () => {
  expect(servedIn([read(1000, 50), read(1010, 50), read(1100, 53)])).toEqual({ requests: 100, errors: 3 });
  expect(servedIn([read(1000, 50)])).toEqual({ requests: 0, errors: 0 });
  expect(servedIn([])).toEqual({ requests: 0, errors: 0 });
});

test.each([
  ["the requests", [read(1000, 50), read(3, 50)]],
  ["the errors", [read(1000, 50), read(1000, 0)]],
  ["the requests in between", [read(1000, 5), read(2, 5), read(1200, 9)]],
] as const)("nothing is known once %s went backwards", (_what, readings) => {
  expect(servedIn(readings)).toBeUndefined();
});

test.each([
  ["a server that has answered nothing before", 0, 50, 12],
  ["the first 512 requests", 100, 100, 8],
  ["requests on both sides of the 512th", 400, 300, 4],
  ["a slot that another release had", 5000, 200, 8],
  ["more requests than the proxy remembers", 5000, 3000, 2],
] as const)("the mean of %s is taken out of the proxy's own", (_what, before, count, within) => {
  const server = new SimulatedServer();
  for (let request = 0; request < before; request += 1) server.answers(20);
  const from = server.read();
  for (let request = 0; request < count; request += 1) server.answers(request % 2 ? 60 : 140);
  const mean = meanSince(from, server.read());
  expect(Math.abs(mean - 100)).toBeLessThan(within);
});
