import type { Outcome } from "../../../src/release/outcome";
import { commit } from "./deploy-inputs";

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

export const before = { release: "v1-1a2b", version: "f".repeat(40), digest: digest("1") };
export const after = { release: "v2-3c4d", version: commit, digest: digest("2") };

export const deployed: Outcome = {
  change: "deploy",
  status: "deployed",
  release: after.release,
  version: after.version,
  image: "ghcr.io/acme/shop:1.4",
  containerLeft: true,
  digest: after.digest,
  previous: before,
  url: "http://203.0.113.7:80/",
  hosts: [
    {
      name: "203.0.113.7",
      status: "deployed",
      url: "http://203.0.113.7:80/",
      previous: before,
      serving: after,
      settled: true,
    },
  ],
  settled: true,
  failure: undefined,
  phases: [
    { name: "connect", startedAt: "2026-11-24T02:18:00.000Z", duration: 1000, result: "done" },
    { name: "bake", startedAt: "2026-11-24T02:18:01.000Z", duration: 30_000, result: "done" },
  ],
  evidence: [{ gate: "probe", verdict: "healthy", probes: 3, expected: "200-299", lastSeen: "200 in 4 ms" }],
  warnings: [],
  verification: undefined,
  startedAt: "2026-11-24T02:18:00.000Z",
  duration: 42_345,
};

export const rolledBack: Outcome = {
  ...deployed,
  status: "rolled-back",
  hosts: deployed.hosts.map((host) => ({ ...host, status: "rolled-back", serving: before })),
  failure: {
    gate: "probe",
    reason: "v2-3c4d did not become healthy: 40 probes, last answer 500. v1-1a2b still serves.",
    log: ["listening", "Error: no database"],
    cancelled: false,
  },
};
