import { isIP } from "node:net";
import { hostname } from "node:os";

export interface Config {
  port: number;
  /** undefined = no metrics are served */
  metricsPort: number | undefined;
  version: string;
  commit: string;
  host: string;
  trustProxy: number | string[];
  maxLagMs: number;
  shutdownTimeoutMs: number;
  logLevel: string;
  faults: boolean;
}

export class ConfigError extends Error {}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** An empty variable counts as one that is not set: that is what `-e NAME=` and an unset build argument give. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    port: whole(env, "PORT", 5000, 65_535),
    // Blank is "off" here, and not the default as it is elsewhere.
    metricsPort: env.METRICS_PORT?.trim() === "" ? undefined : whole(env, "METRICS_PORT", 9464, 65_535),
    version: env.APP_VERSION || "dev",
    commit: env.APP_COMMIT || "unknown",
    host: env.HOST_NAME || hostname(),
    trustProxy: proxies(env.TRUST_PROXY || "1"),
    maxLagMs: whole(env, "HEALTH_MAX_LAG_MS", 1000, 60_000),
    shutdownTimeoutMs: whole(env, "SHUTDOWN_TIMEOUT_MS", 25_000, 3_600_000),
    logLevel: oneOf(env, "LOG_LEVEL", "info", logLevels),
    faults: oneOf(env, "FAULTS", "off", ["off", "on"]) === "on",
  };
}

function whole(env: NodeJS.ProcessEnv, name: string, preset: number, max: number): number {
  const text = env[name] || String(preset);
  if (/^\d{1,9}$/.test(text) && Number(text) <= max) return Number(text);
  throw new ConfigError(`${name}: expected a whole number from 0 to ${max}, got "${text}".`);
}

function oneOf(env: NodeJS.ProcessEnv, name: string, preset: string, allowed: string[]): string {
  const text = env[name] || preset;
  if (allowed.includes(text)) return text;
  throw new ConfigError(`${name}: expected one of ${allowed.join(", ")}, got "${text}".`);
}

/** How many proxies stand in front ("1"), or which addresses they have ("loopback, 10.0.0.0/8"). */
function proxies(text: string): number | string[] {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const addresses = text.split(",").map((address) => address.trim());
  if (addresses.every(isAddressRange)) return addresses;
  throw new ConfigError(`TRUST_PROXY: expected how many proxies are in front, or their addresses, got "${text}".`);
}

function isAddressRange(text: string): boolean {
  if (["loopback", "linklocal", "uniquelocal"].includes(text)) return true;
  const [address = "", bits = "1", ...more] = text.split("/");
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  return more.length === 0 && /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most;
}
