import { hostname } from "node:os";
import { expect, test } from "@jest/globals";
import { readConfig } from "../../app/src/config";

test("an empty environment gives the documented defaults", () => {
  expect(readConfig({ APP_VERSION: "", PORT: "" })).toEqual({
    port: 5000,
    metricsPort: 9464,
    version: "dev",
    commit: "unknown",
    host: hostname(),
    trustProxy: 1,
    maxLagMs: 1000,
    shutdownTimeoutMs: 25_000,
    logLevel: "info",
    faults: false,
  });
});

test("the environment sets each of them", () => {
  const env = {
    PORT: "8080",
    METRICS_PORT: "9000",
    FAULTS: "on",
    APP_VERSION: "2",
    APP_COMMIT: "abc",
    HOST_NAME: "web-1",
    TRUST_PROXY: "loopback, 10.0.0.0/8, ::1",
  };
  expect(readConfig({ ...env, HEALTH_MAX_LAG_MS: "50", SHUTDOWN_TIMEOUT_MS: "9000", LOG_LEVEL: "debug" })).toEqual({
    port: 8080,
    metricsPort: 9000,
    version: "2",
    commit: "abc",
    host: "web-1",
    trustProxy: ["loopback", "10.0.0.0/8", "::1"],
    maxLagMs: 50,
    shutdownTimeoutMs: 9000,
    logLevel: "debug",
    faults: true,
  });
});

test.each(["", "  "])("a metrics port that is blank (%j) serves none", (blank) => {
  expect(readConfig({ METRICS_PORT: blank }).metricsPort).toBeUndefined();
});

test.each([
  ["PORT", "soon", 'PORT: expected a whole number from 0 to 65535, got "soon".'],
  ["PORT", "65536", 'PORT: expected a whole number from 0 to 65535, got "65536".'],
  ["METRICS_PORT", "off", 'METRICS_PORT: expected a whole number from 0 to 65535, got "off".'],
  ["FAULTS", "yes", 'FAULTS: expected one of off, on, got "yes".'],
  ["TRUST_PROXY", "yes", 'TRUST_PROXY: expected how many proxies are in front, or their addresses, got "yes".'],
  [
    "TRUST_PROXY",
    "10.0.0.0/33",
    'TRUST_PROXY: expected how many proxies are in front, or their addresses, got "10.0.0.0/33".',
  ],
  ["LOG_LEVEL", "loud", 'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud".'],
])("%s=%s is refused in one sentence", (name, value, sentence) => {
  expect(() => readConfig({ [name]: value })).toThrow(sentence);
});
