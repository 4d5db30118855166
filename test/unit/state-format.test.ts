import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { FORMAT, parseReleases } from "../../src/release/record";

// What the first format looked like on a host; a newer action must read it for good. Never edit it: add a folder a format.
const folder = join(__dirname, "..", "fixtures", "state-format-1");
const recordOf = (release: string) => readFileSync(join(folder, "releases", release, "release.json"), "utf8");

test("releases that format 1 wrote are read", () => {
  const records = parseReleases(`[${["good1", "good2", "echo1"].map(recordOf).join(",")}]`);
  expect(records.map(({ release, slot, container }) => `${release} ${slot} ${container}`)).toEqual([
    "good1 blue web-good1",
    "good2 green web-good2",
    "echo1 blue web-echo1",
  ]);
});

test("a release that a newer format wrote is refused by name", () => {
  const newer = JSON.stringify({ ...JSON.parse(recordOf("good2")), format: FORMAT + 1 });
  expect(() => parseReleases(`[${newer}]`)).toThrow(
    "The host's release good2 was written by a newer hello-devops (format 2). Use that version or a later one; nothing was changed.",
  );
});

test("a damaged release.json is refused", () => {
  expect(() => parseReleases("[{]")).toThrow("A release.json on the host is damaged.");
});
