import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resetHost } from "../bed/hosts";
import { myHost, theBed } from "../support/bed";
import { Load } from "../support/load";
import { Quick } from "../support/quick";

const bed = theBed();
const host = myHost(bed);
const quick = new Quick(bed, host);

beforeAll(() => resetHost(host), 60_000);
afterAll(() => resetHost(host), 60_000);

test("no request fails on a connection that the app closes just then because it was idle", async () => {
  await quick.deployed("hangsup");
  const pauses = [36, 37, 38, 39, 40, 41]; // the app closes after 40 ms
  const loads = pauses.map((pause) => new Load(host.url, { keepAlive: 2, fresh: 0, pause, limit: 20_000 }));
  await new Promise((resolve) => setTimeout(resolve, 15_000)); // chances, not a state: each pause is one
  const results = await Promise.all(loads.map((load) => load.stop()));
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  expect(results.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(1000);
}, 90_000);
