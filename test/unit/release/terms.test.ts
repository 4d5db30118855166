import { expect, test } from "@jest/globals";
import { readDeployInputs } from "../../../src/github/inputs";
import { newKey } from "../../../src/release/seal";
import { recordedTerms, termsOf } from "../../../src/release/terms";
import { source } from "../github/deploy-inputs";

const { request } = readDeployInputs(
  source({
    "health-headers": "Authorization: Bearer s3cret-token\nX-Probe: yes",
    "health-body": '"status":\\s*"ok"',
    "health-host": "shop.example.com",
    "health-status": "200,204",
    "bake-time": "45s",
    "stop-timeout": "7s",
    memory: "200m",
  }),
);
const key = newKey();
const stored = JSON.parse(JSON.stringify(recordedTerms(request, key))) as ReturnType<typeof recordedTerms>;

test("brings back the very terms that a release was deployed with", () => {
  const { version, traffic, health, bakeTime } = request;
  const terms = { version, traffic, health, bakeTime, container: { stopTimeout: 7000, memory: 200 * 1024 * 1024 } };
  expect(termsOf(version, stored, key, {})).toEqual(terms);
});

test("writes no header's value in clear", () => {
  const text = JSON.stringify(stored);
  for (const part of ["s3cret", "Bearer", "Authorization", Buffer.from("s3cret-token").toString("base64").slice(0, 12)])
    expect(text).not.toContain(part);
  expect(text).not.toContain(key);
});

test("seals the same headers otherwise each time", () => {
  expect(recordedTerms(request, key).health.sealedHeaders).not.toBe(stored.health.sealedHeaders);
});

test("takes what is given in place of what was recorded, and needs no key for headers that are given", () => {
  const given = { path: "/ready", headers: { "X-Other": "1" } };
  const { health } = termsOf("v", stored, newKey(), given);
  expect(health).toMatchObject({ path: "/ready", headers: { "X-Other": "1" }, host: "shop.example.com" });
});

test.each([
  ["another key", newKey()],
  ["no key", ""],
])("says what to do when sealed headers meet %s", (_what, wrong) => {
  expect(() => termsOf("v", stored, wrong, {})).toThrow(
    "health-headers: those that the release was deployed with can't be opened",
  );
});

test("needs no key where there are no headers", () => {
  const plain = recordedTerms(readDeployInputs(source()).request, "");
  expect(plain.health.sealedHeaders).toBe("");
  expect(termsOf("v", plain, "", {}).health.headers).toEqual({});
});
