import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "@jest/globals";
import { readVerifyInputs } from "../../../src/github/verify-inputs";
import { UserError } from "../../../src/user-error";
import { authority } from "../../support/certificates";
import { verifySource, verifyYml } from "../../support/verifying";

function refusal(given: Record<string, string>): string | undefined {
  try {
    readVerifyInputs(verifySource({ url: "https://shop.test/", ...given }));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

const blank = (name: string): string =>
  `${name}: it is blank. Write a value, or leave the input out to get its default.`;
const expected = (name: string, what: string, got: string): string => `${name}: expected ${what}, got "${got}".`;
const schemes = "a URL that begins with http://, https://, ws://, wss:// or tcp://";
const tcp = "a host and a port, as in tcp://db.example.com:5432";
const headerLine = "is no header; write Name: value, Name: /pattern/, or Name alone.";
const ca = authority("ours").pem;
const key = generateKeyPairSync("ed25519", {
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join("\n");

const noMetric = "is no comparison; write AVG(CPUUtilization) < 80, got";

const wrong: readonly [what: string, given: Record<string, string>, message: string][] = [
  ["no url", { url: " \n" }, blank("url")],
  [
    "a url without a scheme",
    { url: "shop.test/health" },
    expected("url", "a URL such as https://shop.example.com/health", "shop.test/health"),
  ],
  ["a host and a port alone", { url: "localhost:8080" }, expected("url", schemes, "localhost:8080")],
  ["a file", { url: "file:///etc/passwd" }, expected("url", schemes, "file:///etc/passwd")],
  [
    "a token in a url that is wrong",
    { url: "shop.test?token=abc" },
    expected("url", "a URL such as https://shop.example.com/health", "shop.test?…"),
  ],
  [
    "a password in a url",
    { url: "https://me:secret@shop.test/?a=b" },
    'url: "https://…@shop.test/?…" holds a user or a password; write it in basic-auth.',
  ],
  [
    "a password in a url without slashes",
    { url: "https:me:hunter2@shop.test" },
    'url: "https:…@shop.test" holds a user or a password; write it in basic-auth.',
  ],
  [
    "a password in a url with one slash",
    { url: "https:/me:hunter2@shop.test" },
    'url: "https:/…@shop.test" holds a user or a password; write it in basic-auth.',
  ],
  [
    "a password with a slash in a url",
    { url: "https://me:hun/ter2@shop.test" },
    expected("url", "a URL such as https://shop.example.com/health", "https://…@shop.test"),
  ],
  [
    "a password with a question mark in a url",
    { url: "https://me:hun?ter2@shop.test" },
    expected("url", "a URL such as https://shop.example.com/health", "https://…"),
  ],
  [
    "failures without a hold",
    { "max-failures": "1" },
    "max-failures: it counts in hold, and hold is 0s; give hold a time, or leave it out.",
  ],
  [
    "as many failures as a hold has attempts",
    { "max-failures": "5", hold: "9s" },
    "max-failures: hold has 5 attempts (interval), so all of them might be wrong; lower it.",
  ],
  [
    "a percentile of nothing",
    { "latency-percentile": "50" },
    "latency-percentile: it is max-latency's, which is blank; give both or neither.",
  ],
  [
    "a latency that no attempt may take",
    { "max-latency": "5s" },
    "max-latency: request-timeout ends an attempt before it is reached; it must be shorter than that.",
  ],
  [
    "a fragment",
    { url: "https://shop.test/#top" },
    'url: "https://shop.test/#top" has a fragment (#), which no server gets to see; leave it out.',
  ],
  ["port 0", { url: "http://shop.test:0/" }, 'url: "http://shop.test:0/" has port 0, on which nothing listens.'],
  [
    "a url twice",
    { url: "https://a.test https://a.test/" },
    'url: "https://a.test/" is named twice. Name each URL once.',
  ],
  ["too many urls", { url: many(51, (i) => `https://a.test/${i}`) }, "url: got 51 URLs; name 50 at most."],
  ["tcp without a port", { url: "tcp://db.test" }, expected("url", tcp, "tcp://db.test")],
  ["tcp with a path", { url: "tcp://db.test:5432/x" }, expected("url", tcp, "tcp://db.test:5432/x")],
  ["tcp to a host that is none", { url: "tcp://a%20b:80" }, expected("url", tcp, "tcp://a%20b:80")],
  [
    "a method in lower case",
    { method: "get" },
    expected("method", "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", "get"),
  ],
  [
    "a method of a proxy",
    { method: "CONNECT" },
    expected("method", "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", "CONNECT"),
  ],
  [
    "a line that is no header",
    { headers: "X-A: 1\nsecret" },
    "headers: line 2 is no header; write Name: value, one a line.",
  ],
  [
    "a Host header",
    { headers: "Host: x" },
    "headers: line 1 sets Host; it follows from url: write the name there, and the address to connect to in resolve.",
  ],
  [
    "a header of HTTP itself",
    { headers: "Connection: close" },
    "headers: line 1 sets Connection, which HTTP itself needs.",
  ],
  ["a header twice", { headers: "X-A: 1\nx-a: 2" }, "headers: line 2 sets x-a again; write each header once."],
  [
    "a body that is too long",
    { method: "POST", body: "x".repeat(1024 * 1024 + 1) },
    "body: it is longer than 1 MiB, which is no question about health.",
  ],
  ["a login without a colon", { "basic-auth": "secret" }, "basic-auth: expected user:password on one line."],
  ["a login of two lines", { "basic-auth": "me:sec\nret" }, "basic-auth: expected user:password on one line."],
  [
    "a token of two words",
    { "bearer-token": "se cret" },
    "bearer-token: expected one word of ASCII characters; is it the right secret?",
  ],
  [
    "a token with its scheme",
    { "bearer-token": "Bearer secret" },
    "bearer-token: it begins with Bearer; write the token alone.",
  ],
  [
    "two logins",
    { "basic-auth": "me:secret", "bearer-token": "secret" },
    "bearer-token: basic-auth is given too, and a request has one of them; leave one out.",
  ],
  [
    "a login beside its header",
    { "basic-auth": "me:secret", headers: "authorization: x" },
    "basic-auth: headers sets Authorization too; leave one of them out.",
  ],
  [
    "a token beside its header",
    { "bearer-token": "secret", headers: "Authorization: x" },
    "bearer-token: headers sets Authorization too; leave one of them out.",
  ],
  ["yes for a boolean", { "follow-redirects": "yes" }, expected("follow-redirects", "true or false", "yes")],
  [
    "a url to resolve to",
    { resolve: "http://10.0.0.1" },
    expected("resolve", "an address such as 10.0.0.7, 2001:db8::7 or a name", "http://10.0.0.1"),
  ],
  [
    "an impossible address",
    { resolve: "10.0.0.300" },
    expected("resolve", "an address such as 10.0.0.7, 2001:db8::7 or a name", "10.0.0.300"),
  ],
  [
    "an address with a port",
    { resolve: "10.0.0.1:80" },
    expected("resolve", "an address such as 10.0.0.7, 2001:db8::7 or a name", "10.0.0.1:80"),
  ],
  ["an address twice", { resolve: "::1, [::1]" }, 'resolve: "::1" is named twice. Name each address once.'],
  ["too many addresses", { resolve: many(51, (i) => `10.0.0.${i}`) }, "resolve: got 51 addresses; name 50 at most."],
  [
    "too many checks",
    { url: many(11, (i) => `https://a.test/${i}`), resolve: many(10, (i) => `10.0.0.${i}`) },
    "resolve: 11 URLs at 10 addresses are 110 checks; at most 100 are made. Use several steps.",
  ],
  ["a third family", { "ip-family": "5" }, expected("ip-family", "auto, 4 or 6", "5")],
  [
    "an address of the other family",
    { "ip-family": "4", resolve: "10.0.0.1, ::1" },
    "ip-family: it is 4, but ::1 is an IPv6 address.",
  ],
  [
    "a url of the other family",
    { "ip-family": "6", url: "https://10.0.0.1/" },
    "ip-family: it is 6, but 10.0.0.1 is an IPv4 address.",
  ],
  [
    "a status that is none",
    { "expect-status": "2xx" },
    expected("expect-status", "HTTP statuses such as 200-299 or 200,204,301-399", "2xx"),
  ],
  ["a broken pattern", { "expect-body": "(" }, 'expect-body: "(" is not a regular expression (Unterminated group).'],
  ["a header line without a name", { "expect-header": "X-A\n: x" }, `expect-header: line 2 ${headerLine}`],
  ["a header without its value", { "expect-header": "X-A:" }, `expect-header: line 1 ${headerLine}`],
  [
    "a header's broken pattern",
    { "expect-header": "X-A: /[/" },
    'expect-header: line 1: "[" is not a regular expression (Unterminated character class).',
  ],
  [
    "too many header lines",
    { "expect-header": many(51, () => "X-A") },
    "expect-header: got 51 lines; at most 50 are checked.",
  ],
  [
    "no comparison",
    { "expect-json": "a = 1\nstatus" },
    "expect-json: line 2 is no comparison; write path = value with spaces around the operator: =, !=, <, <=, > or >=.",
  ],
  [
    "an operator without spaces",
    { "expect-json": "a>=1" },
    "expect-json: line 1 is no comparison; write path = value with spaces around the operator: =, !=, <, <=, > or >=.",
  ],
  [
    "a comparison with nothing",
    { "expect-json": "a =" },
    'expect-json: line 1 has nothing to compare with; write "" for an empty text.',
  ],
  [
    "an order of words",
    { "expect-json": "a < many" },
    'expect-json: line 1 compares by <, which needs a number, got "many".',
  ],
  [
    "a path that is no JMESPath",
    { "expect-json": "a[?b = 1" },
    "expect-json: line 1 has a path that is not JMESPath (expected Rbracket, got: EOF).",
  ],
  [
    "a function that does not exist",
    { "expect-json": "a.count(@) = 1" },
    "expect-json: line 1 has a path that is not JMESPath (there is no function count).",
  ],
  [
    "a version of two lines",
    { "expect-version": "a\nb" },
    expected("expect-version", "a version of 1 to 200 characters", "a\\nb"),
  ],
  [
    "a version from nowhere",
    { "version-from": "X-Release" },
    expected("version-from", "header:X-Release or json:path", "X-Release"),
  ],
  [
    "a version from a broken header",
    { "version-from": "header:X Release" },
    expected("version-from", "header:X-Release or json:path", "header:X Release"),
  ],
  [
    "a version from a broken path",
    { "version-from": "json:a[" },
    'version-from: "a[" is not JMESPath (expected Star, got: EOF).',
  ],
  [
    "a latency without a unit",
    { "max-latency": "500" },
    expected("max-latency", "a duration such as 30s or 2m", "500"),
  ],
  [
    "a percentile of 0",
    { "latency-percentile": "0" },
    expected("latency-percentile", "a whole number from 1 to 100", "0"),
  ],
  [
    "a private key for an authority",
    { "ca-certificate": `${ca}${key}` },
    "ca-certificate: it holds a private key; write the certificate of the authority alone.",
  ],
  [
    "an authority that is no PEM",
    { "ca-certificate": "MIIB" },
    "ca-certificate: expected certificates in PEM form (-----BEGIN CERTIFICATE----- and so on), found none.",
  ],
  [
    "half a certificate",
    { "ca-certificate": `${ca}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----` },
    "ca-certificate: certificate 2 can't be read; paste it whole, line by line.",
  ],
  [
    "an authority that is not read",
    { "ca-certificate": ca, "tls-verify": "false" },
    "ca-certificate: tls-verify is false, so it is not read; leave one of them out.",
  ],
  [
    "an authority without TLS",
    { "ca-certificate": ca, url: "http://a.test" },
    "ca-certificate: no URL begins with https or wss, so there is no certificate.",
  ],
  [
    "days of no certificate",
    { "min-certificate-days": "7", url: "http://a.test" },
    "min-certificate-days: no URL begins with https or wss, so there is no certificate.",
  ],
  [
    "days that are a word",
    { "min-certificate-days": "week" },
    expected("min-certificate-days", "a whole number from 0 to 3650", "week"),
  ],
  ["a timeout of nothing", { timeout: "0s" }, expected("timeout", "a duration from 1s to 6h", "0s")],
  ["an interval that is too short", { interval: "10ms" }, expected("interval", "a duration from 100ms to 10m", "10ms")],
  [
    "more answers than there is time for",
    { threshold: "61" },
    "timeout: 61 answers (threshold) with interval between them take longer; lengthen it.",
  ],
  ["another backoff", { backoff: "linear" }, expected("backoff", "none or exponential", "linear")],
  [
    "a request-timeout that is too long",
    { "request-timeout": "1h" },
    expected("request-timeout", "a duration from 100ms to 10m", "1h"),
  ],
  ["no right answer", { threshold: "0" }, expected("threshold", "a whole number from 1 to 100", "0")],
  ["a hold that is too long", { hold: "7h" }, expected("hold", "a duration from 0s to 6h", "7h")],
  ["negative failures", { "max-failures": "-1" }, expected("max-failures", "a whole number from 0 to 1000", "-1")],
  ["a failure of neither", { fail: "1" }, expected("fail", "true or false", "1")],
  ["a summary of neither", { summary: "no" }, expected("summary", "true or false", "no")],
  ["a verification of neither", { "tls-verify": "off" }, expected("tls-verify", "true or false", "off")],
  [
    "every alarm there is",
    { alarms: "web-5xx\n*" },
    'alarms: "*" means every alarm there is; write a prefix, as in web-*.',
  ],
  [
    "a star inside of an alarm's name",
    { alarms: "web-*-5xx" },
    'alarms: a * stands at the end of a name alone, as in web-*; got "web-*-5xx".',
  ],
  [
    "an alarm's ARN",
    { alarms: "arn:aws:cloudwatch:us-east-1:111122223333:alarm:web" },
    'alarms: expected an alarm\'s name, the part behind ":alarm:", got "arn:aws:cloudwatch:us-east-1:111122223333:alarm:web".',
  ],
  [
    "too many alarms",
    { alarms: many(101, (i) => `a${i}`) },
    "alarms: got 101 names; 100 at most. Name several by a prefix: web-*.",
  ],
  [
    "a rule that is no comparison",
    { metrics: "AVG(Shop Orders) > 0\nCPUUtilization < 80" },
    `metrics: line 2 ${noMetric} "CPUUtilization < 80".`,
  ],
  [
    "a statistic that does not exist",
    { metrics: "MEAN(Shop Orders) > 0" },
    'metrics: line 1: expected AVG, MIN, MAX, SUM, COUNT or a percentile such as P95 or P99.9, got "MEAN".',
  ],
  [
    "a metric of no instance",
    { metrics: "SUM(Shop Orders) > 0\nAVG(CPUUtilization) < 80" },
    "metrics: line 2: CPUUtilization is of which instance? Set instance-ids or ec2-filters, or write InstanceId=i-... behind it.",
  ],
  [
    "too many rules",
    { metrics: many(51, () => "AVG(Shop Orders) > 0") },
    "metrics: got 51 lines; at most 50 are checked.",
  ],
  [
    "an instance by its name",
    { "instance-ids": "i-0123456789abcdef0, web" },
    expected("instance-ids", "ids of instances such as i-0123456789abcdef0", "web"),
  ],
  [
    "too many instances",
    { "instance-ids": many(101, (i) => `i-${String(i).padStart(8, "0")}`) },
    "instance-ids: got 101 ids; name 100 at most.",
  ],
  [
    "a filter that is none",
    { "ec2-filters": "web" },
    expected("ec2-filters", "lines such as tag:Name=web or tag:Env=staging,test", "web"),
  ],
  [
    "instances in two ways",
    { "instance-ids": "i-0123456789abcdef0", "ec2-filters": "tag:Name=web" },
    "instance-ids: ec2-filters is given, too; give one of the two.",
  ],
  [
    "a zone for a region",
    { alarms: "a", "aws-region": "eu-west-1a" },
    expected("aws-region", "a region such as us-east-1", "eu-west-1a"),
  ],
  [
    "a region that nothing is asked in",
    { "aws-region": "eu-west-1" },
    "aws-region: AWS is asked for nothing; give alarms, metrics, instance-ids or ec2-filters, or leave it out.",
  ],
  [
    "a body of HEAD",
    { method: "HEAD", "expect-body": "x" },
    "expect-body: method is HEAD, which has no body; use GET.",
  ],
  ["a body with HEAD", { method: "HEAD", body: "x" }, "body: method is HEAD, which has no body; use GET."],
  [
    "a method of a WebSocket",
    { url: "ws://a.test", method: "POST" },
    "method: it has no meaning for a WebSocket, and no URL is http or https.",
  ],
  [
    "a method of tcp",
    { url: "tcp://a.test:1", method: "POST" },
    "method: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "headers of tcp",
    { url: "tcp://a.test:1", headers: "X-A: 1" },
    "headers: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "a login of tcp",
    { url: "tcp://a.test:1", "basic-auth": "a:b" },
    "basic-auth: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "a token of tcp",
    { url: "tcp://a.test:1", "bearer-token": "b" },
    "bearer-token: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "redirects of tcp",
    { url: "tcp://a.test:1", "follow-redirects": "true" },
    "follow-redirects: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "a header from tcp",
    { url: "tcp://a.test:1", "expect-header": "X-A" },
    "expect-header: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "JSON from tcp",
    { url: "tcp://a.test:1", "expect-json": "a = 1" },
    "expect-json: it has no meaning for tcp, and no URL is anything else.",
  ],
  [
    "a version from tcp",
    { url: "tcp://a.test:1", "expect-version": "1" },
    "expect-version: it has no meaning for tcp, and no URL is anything else.",
  ],
];
test.each(wrong)("refuses %s in one line", (_what, given, message) => {
  expect(refusal(given)).toBe(message);
});

test("names all that is wrong at once", () => {
  expect(refusal({ url: "ftp://x", timeout: "soon", "expect-json": "a", fail: "" })?.split("\n")).toEqual([
    expected("url", schemes, "ftp://x"),
    expect.stringMatching(/^expect-json: line 1 is no comparison/),
    expected("timeout", "a duration such as 30s or 2m", "soon"),
    blank("fail"),
  ]);
});

test("an input may be blank when its default is, and no other", () => {
  const refused = Object.keys(verifyYml.inputs).filter((name) => refusal({ [name]: "" }) !== undefined);
  const needed = Object.entries(verifyYml.inputs).filter(([, field]) => field.default !== "");
  expect(refused.sort()).toEqual(needed.map(([name]) => name).sort());
});

const secret = "s3cret";
test.each(["basic-auth", "bearer-token", "headers", "ca-certificate", "body"])(
  "never repeats what a wrong %s holds",
  (name) => {
    for (const text of [`${secret}\n:${secret}`, `${secret}\0 x`, `Bearer ${secret} ${secret}`])
      expect(refusal({ [name]: text, url: "" })).not.toContain(secret);
  },
);
