import { expect, test } from "@jest/globals";
import { readDeployInputs } from "../../../src/github/inputs";
import type { Member } from "../../../src/release/fleet";
import { planFor } from "../../../src/release/plan";
import type { ReleaseRecord } from "../../../src/release/record";
import { whyAtOnce } from "../../../src/release/rollout";
import type { Scene } from "../../../src/release/scene";
import { source } from "../github/deploy-inputs";

const current = { release: "r1", slot: "blue", container: "web-r1" } as ReleaseRecord;
const proxy = { State: { Running: true } } as Scene["proxy"];
const serving = { current, previous: current, proxy, handover: undefined, id: "r2" } as Scene;
const handover = { name: "shop-by-hand" } as Scene["handover"];

test.each([
  ["nothing serves", { ...serving, current: undefined }, "nothing serves there yet"],
  ["a container made by hand has the port", { ...serving, handover }, "its proxy takes the port of shop-by-hand"],
  ["the proxy was stopped by hand", { ...serving, proxy: undefined }, "its proxy did not run"],
])("all traffic moves at once where %s", (_what, scene, why) => {
  expect(whyAtOnce(scene, "blue-green")).toBe(why);
});

test("two releases share the traffic where one serves, and never with strategy recreate", () => {
  expect(whyAtOnce(serving, "blue-green")).toBeUndefined();
  expect(whyAtOnce(serving, "recreate")).toBe("with strategy recreate one release runs at a time");
});

test.each([
  ["10, 100", serving, ["Would give it 10 % of the traffic for 5 s, and compare it with r1"]],
  ["10, 50, 100", serving, ["Would give it 10 %, then 50 % of the traffic, each for 5 s, and compare it with r1"]],
  [
    "10, 100",
    { ...serving, handover },
    ["Would move all traffic at once, whatever traffic-steps says: its proxy takes the port of shop-by-hand"],
  ],
  ["100", serving, []],
])("a dry run with traffic-steps %s tells how the traffic would move", (steps, scene, told) => {
  const { request } = readDeployInputs(source({ "traffic-steps": steps, "step-duration": "5s" }));
  const plan = planFor(request, { scene } as Member, { verification: undefined, alarms: undefined });
  expect(plan.filter((line) => /^Would (give|move)/.test(line))).toEqual(told);
});
