import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { verifyYml } from "../support/verifying";

const asked = "asks with method, headers, body and the login that it is given";
const certificate = "judges the certificate by ca-certificate, tls-verify and min-certificate-days, and tells its end";
const pace = "waits for timeout and no longer, in the pace of interval and backoff";
const latency = "waits for answers within max-latency, at latency-percentile of the last threshold";
const address = "asks each address of resolve under the URL's name, in the family of ip-family";
const held = "watches for hold, and bears max-failures in it";
const differs = "an answer that differs from %s is unhealthy, and counted as that";

/** Each input of verify-health, and the test that sees its effect: the committed bundle against a real server, or a played AWS. */
const seenIn: Readonly<Record<string, string>> = {
  url: "several URLs are checked side by side, and one bad one makes the step red",
  method: asked,
  headers: asked,
  body: asked,
  "basic-auth": asked,
  "bearer-token": asked,
  "follow-redirects": "follows redirects only when follow-redirects says so",
  resolve: address,
  "ip-family": address,
  "expect-status": differs,
  "expect-body": differs,
  "expect-header": differs,
  "expect-json": differs,
  "expect-version": differs,
  "version-from": differs,
  "max-latency": latency,
  "latency-percentile": latency,
  threshold: latency,
  "tls-verify": certificate,
  "ca-certificate": certificate,
  "min-certificate-days": certificate,
  timeout: pace,
  interval: pace,
  backoff: pace,
  "request-timeout": "gives one attempt request-timeout",
  hold: held,
  "max-failures": held,
  alarms: "alarms that are OK, by name and prefix, are checks of their own beside the URL, and one call reads them",
  metrics: "a metric's comparison holds, does not hold, or has no data",
  "instance-ids": "an instance of instance-ids that is stopped is unhealthy",
  "ec2-filters": "the instances that ec2-filters find are checks, and each fills a metric's missing instance",
  "aws-region": "asks aws-region before the environment's region",
  fail: "with fail false the step stays green, and warns",
  summary: "with summary false there is no summary",
};

const source = ["verify-health.test.ts", "aws.test.ts", "aws-bad-days.test.ts"]
  .map((file) => readFileSync(join(__dirname, file), "utf8"))
  .join("\n");

test("every input of verify-health has a test that sees its effect, and no other name has one", () => {
  expect(Object.keys(seenIn).sort()).toEqual(Object.keys(verifyYml.inputs).sort());
});

test.each(Object.entries(seenIn))("the test for %s is there, and names it", (input, title) => {
  expect(source).toContain(`"${title}"`);
  expect(source).toMatch(new RegExp(`\\b${input}\\b`));
});
