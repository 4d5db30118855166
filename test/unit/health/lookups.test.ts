import type { LookupAddress } from "node:dns";
import { expect, test } from "@jest/globals";
import { sharedLookup } from "../../../src/health/lookups";

type Told = (error: Error | null, found: LookupAddress[]) => void;

function silentResolver() {
  const asked: Told[] = [];
  const lookup = sharedLookup((_host, _options, callback) => asked.push(callback));
  const find = (host: string, all: boolean) =>
    new Promise((resolve) => lookup(host, { all, family: 0 }, (error, found) => resolve(error?.message ?? found)));
  return { asked, find };
}

test("a name is asked for once while no answer is there, and again when one was", async () => {
  const { asked, find } = silentResolver();
  const both = [find("a.test", true), find("a.test", false), find("b.test", true)];
  expect(asked).toHaveLength(2);
  const address = { address: "10.0.0.1", family: 4 };
  for (const answer of asked) answer(null, [address]);
  expect(await Promise.all(both)).toEqual([[address], "10.0.0.1", [address]]);
  void find("a.test", true);
  expect(asked).toHaveLength(3);
});

test("an error of the resolver reaches everybody who waits", async () => {
  const { asked, find } = silentResolver();
  const both = [find("a.test", true), find("a.test", false)];
  asked[0]?.(new Error("EAI_AGAIN"), []);
  expect(await Promise.all(both)).toEqual(["EAI_AGAIN", "EAI_AGAIN"]);
});
