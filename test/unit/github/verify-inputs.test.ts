import { expect, test } from "@jest/globals";
import { readVerifyInputs } from "../../../src/github/verify-inputs";
import { verifySecretsOf } from "../../../src/github/verify-secrets";
import { verifySource, verifyYml } from "../../support/verifying";

test("a URL is enough", () => {
  const { request, aws, fail, summary } = readVerifyInputs(verifySource({ url: "https://shop.test/health" }));
  expect([aws, fail, summary]).toEqual([undefined, true, true]);
  expect(request).toEqual({
    targets: [{ url: new URL("https://shop.test/health"), address: undefined }],
    question: { method: "GET", headers: {}, authorization: undefined, body: "", followRedirects: false },
    expected: {
      status: [{ from: 200, to: 299 }],
      body: undefined,
      headers: [],
      json: [],
      version: undefined,
      versionFrom: { header: "X-Release" },
    },
    family: 0,
    tls: { verify: true, authorities: undefined, minDays: 0 },
    time: {
      timeout: 120_000,
      interval: 2000,
      backoff: false,
      requestTimeout: 5000,
      threshold: 1,
      hold: 0,
      maxFailures: 0,
      maxLatency: undefined,
      percentile: 95,
    },
  });
});

test("reads exactly the inputs that action.yml lists", () => {
  const read = new Set<string>();
  const io = verifySource({ url: "https://shop.test" });
  readVerifyInputs({
    ...io,
    input(name) {
      read.add(name);
      return io.input(name);
    },
  });
  expect([...read].sort()).toEqual(Object.keys(verifyYml.inputs).sort());
});

test("reads alarms and instances by comma or line, metrics and filters by line", () => {
  const read = (given: Record<string, string>) =>
    readVerifyInputs(verifySource({ url: "https://shop.test", ...given })).aws;
  expect(read({ alarms: "web-5xx, web-*\n db 1\ndb 1", "instance-ids": "i-01234567,\ni-89abcdef" })).toEqual({
    alarms: ["web-5xx", "web-*", "db 1"],
    metrics: [],
    instances: { ids: ["i-01234567", "i-89abcdef"] },
    region: undefined,
  });
  const rules = "AVG(CPUUtilization, 10m) < 80\nSUM(Shop Orders Stage=prod) > 0";
  const found = read({ metrics: rules, "ec2-filters": "tag:Name=web,api", "aws-region": "eu-west-1" });
  expect(found).toMatchObject({
    alarms: [],
    metrics: [
      { namespace: "AWS/EC2", window: 600_000 },
      { namespace: "Shop", dimensions: { Stage: "prod" } },
    ],
    instances: { filters: [{ name: "tag:Name", values: ["web", "api"] }] },
    region: "eu-west-1",
  });
});

const split: readonly [line: string, path: string, operator: string, value: string][] = [
  ["status = ok", "status", "=", "ok"],
  ["a.b != c = d", "a.b", "!=", "c = d"],
  ["items[?age < `5`] | length(@) >= 3", "items[?age < `5`] | length(@)", ">=", "3"],
  ["(a == b) = true", "(a == b)", "=", "true"],
  ['"a key" = "x"', '"a key"', "=", '"x"'],
  ["a  <=\t-1.5e3", "a", "<=", "-1.5e3"],
];
test.each(split)("splits %s where its path ends", (text, path, operator, value) => {
  const { request } = readVerifyInputs(verifySource({ url: "https://shop.test", "expect-json": text }));
  expect(request.expected.json).toEqual([{ text, path, operator, value }]);
});

const masked: readonly [what: string, given: Record<string, string>, env: Record<string, string>, texts: string[]][] = [
  [
    "a login, its password and its base64",
    { "basic-auth": "me:pass" },
    {},
    ["me:pass", "pass", "bWU6cGFzcw==", "bWU6cGFzcw"],
  ],
  ["a token", { "bearer-token": " tok.en\n" }, {}, ["tok.en"]],
  [
    "values of headers, and behind Bearer",
    { headers: "Authorization: Bearer abc.def\nX-Key: k3yk3y" },
    {},
    ["Bearer abc.def", "abc.def", "k3yk3y"],
  ],
  ["values of a query, as written and as read", { url: "https://a.test/?t=a%2Fbcd&page=12" }, {}, ["a%2Fbcd", "a/bcd"]],
  [
    "the login of a URL that its password breaks",
    { url: "https://me:hun/ter2@shop.test" },
    {},
    ["me:hun/ter2", "hun/ter2"],
  ],
  ["the login of a URL without slashes", { url: "https:me:hunter2@shop.test" }, {}, ["me:hunter2", "hunter2"]],
  [
    "the login of a proxy",
    {},
    { HTTPS_PROXY: "http://user:p%40ssword@proxy.test:3128" },
    [
      "user:p%40ssword",
      "p%40ssword",
      "dXNlcjpwJTQwc3N3b3Jk",
      "user:p@ssword",
      "p@ssword",
      "dXNlcjpwQHNzd29yZA==",
      "dXNlcjpwQHNzd29yZA",
    ],
  ],
];
test.each(masked)("masks %s", (_what, given, env, texts) => {
  expect(verifySecretsOf(verifySource({ url: "https://shop.test/health", ...given }, env)).sort()).toEqual(
    texts.sort(),
  );
});

test("masks no common word, no small number, and nothing that the log says anyway", () => {
  const headers = "X-Env: production\nX-Port: 8080\nX-Name: shop.test\nX-Short: abc";
  expect(verifySecretsOf(verifySource({ url: "https://shop.test/health?a=true&b=health#x", headers }))).toEqual([]);
});
