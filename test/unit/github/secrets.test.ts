import { expect, test } from "@jest/globals";
import { secretsOf } from "../../../src/github/secrets";
import { commit, source } from "./deploy-inputs";

const key = source().input("ssh-key");

test("masks the key whole and line by line, but not the lines that every key has", () => {
  const secrets = secretsOf(source());
  expect(secrets).toEqual([key, "c2VjcmV0IGtleQ=="]);
});

test("masks passphrase, password and token", () => {
  const given = { "ssh-key-passphrase": " open sesame ", "registry-password": "pass\n", "github-token": "ghs_abc" };
  expect(secretsOf(source(given))).toEqual(expect.arrayContaining(["open sesame", "pass", "ghs_abc"]));
});

const wrappings = [
  ["user and password", (user: string, password: string) => `${user}:${password}`],
  ["JSON", (username: string, password: string) => JSON.stringify({ username, password })],
  [
    "JSON with more around",
    (username: string, password: string) => JSON.stringify({ a: 1, username, password, b: "ü" }),
  ],
] as const;
test.each(wrappings)("leaves nothing to decode of registry credentials in base64 of %s", (_what, wrap) => {
  for (const password of ['pa"ss\\wörd-123456', "dckr_pat_0123456789", "???>>>~~~ÿÿÿ1234"])
    for (const user of ["a", "an", "ann", "anna"])
      for (const alphabet of ["base64", "base64url"] as const) {
        const secrets = secretsOf(source({ "registry-username": user, "registry-password": password }));
        const sent = Buffer.from(wrap(user, password)).toString(alphabet);
        const logged = secrets.reduce((text, secret) => text.replaceAll(secret, "***"), sent);
        expect(logged).toContain("***");
        const left = logged.split("***").flatMap((piece) => [0, 1, 2, 3].map((skip) => decoded(piece.slice(skip))));
        expect(left.some((text) => text.includes(password.slice(0, 4)) || text.includes(password.slice(-4)))).toBe(
          false,
        );
      }
});

const settings: readonly [what: string, value: string, masked: boolean][] = [
  ["a password", "hunter22", true],
  ["a text of three characters", "abc", false],
  ["a boolean", "True", false],
  ["a port", "5432", false],
  ["a long number", "98765432", true],
  ["an environment's name", "production", false],
  ["the commit", commit, false],
  ["a part of the commit", commit.slice(0, 7), false],
  ["the image", "ghcr.io/acme/shop:1.4", false],
  ["the host", "203.0.113.7", false],
  ["the repository", "Acme/Web_Shop", false],
];
test.each(settings)("of settings, %s (%s) is masked: %s", (_what, value, masked) => {
  expect(secretsOf(source({ env: `A=${value}` })).includes(value)).toBe(masked);
  expect(secretsOf(source({ "env-file": "f" }, {}, { f: `A=${value}` })).includes(value)).toBe(masked);
  expect(secretsOf(source({ "health-headers": `X-A: ${value}` })).includes(value)).toBe(masked);
});

test("masks settings of several lines line by line, and the token behind Bearer", () => {
  const given = { env: 'A="line one\nline two"', "health-headers": "Authorization: Bearer abc.def" };
  expect(secretsOf(source(given))).toEqual(
    expect.arrayContaining(["line one\nline two", "line one", "line two", "Bearer abc.def", "abc.def"]),
  );
});

test("masks neither the region nor the tag by which AWS finds the hosts: GitHub would drop the output that names them", () => {
  const env = { env: "REGION=eu-west-1\nELSEWHERE=eu-central-1\nSERVICE=shop-web" };
  const given = { ...env, hosts: "", "ec2-filters": "tag:Name=shop-web", "aws-region": "eu-west-1" };
  const secrets = secretsOf(source(given, { AWS_REGION: "eu-central-1" }));
  expect(secrets.filter((text) => /^eu-|shop-web/.test(text))).toEqual([]);
});

test("finds the secrets of inputs that are wrong", () => {
  const given = { hosts: "", env: 'A="half a key\nother half', "env-file": "missing", "registry-username": "" };
  expect(secretsOf(source(given))).toEqual(expect.arrayContaining([key, '"half a key', "other half"]));
});

function decoded(piece: string): string {
  return Buffer.from(piece, "base64url").toString("utf8");
}
