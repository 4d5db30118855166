import { runVerifyCommand } from "../health/command";
import { becomesHealthy, describeExpectation, type Expectation, staysHealthy, type Verdict } from "../health/gate";
import { ask } from "../health/http";
import { still } from "./candidate";
import { GateError } from "./failure";
import type { Transaction } from "./transaction";

/** The candidate, asked directly at its own address: no port is published for it. */
export async function probe(tx: Transaction): Promise<void> {
  const { candidate, host, request, clock, stop } = tx;
  const expected = { status: request.health.status, body: request.health.body };
  const once = () =>
    ask(() => host.dial(candidate.address, candidate.port), question(tx, candidate.address), clock.now);
  const pace = {
    interval: request.health.interval,
    threshold: request.health.threshold,
    limit: request.health.startTimeout,
  };
  const verdict = await becomesHealthy(once, expected, pace, clock, stop.signal);
  const where = `${request.health.path} on port ${candidate.port}`;
  await judge(
    tx,
    "probe",
    expected,
    verdict,
    (why) => `The candidate's ${where}: ${why}; last seen: ${verdict.seen.lastSeen}. Nothing was shifted.`,
  );
}

/** The candidate under the real traffic, asked through the proxy: the release must name itself. */
export async function bake(tx: Transaction): Promise<void> {
  const { host, request, clock, stop } = tx;
  const header = request.traffic.releaseHeader;
  const expected: Expectation = {
    status: request.health.status,
    body: request.health.body,
    header: header ? { name: header, value: request.version } : undefined,
  };
  const once = () => ask(() => host.dial("127.0.0.1", request.traffic.httpPort), question(tx, host.name), clock.now);
  const pace = { interval: request.health.interval, threshold: request.health.threshold, span: request.bakeTime };
  const verdict = await staysHealthy(once, expected, pace, clock, stop.signal);
  await judge(
    tx,
    "bake",
    expected,
    verdict,
    (why) => `The candidate turned bad under traffic: ${why}; last seen: ${verdict.seen.lastSeen}.`,
  );
}

export async function verifyCommand(tx: Transaction, url: string): Promise<void> {
  const verify = tx.request.verify;
  if (!verify) return;
  const ended = await runVerifyCommand(verify.command, url, verify.timeout, tx.stop.signal, (text) =>
    tx.log.quote(text),
  );
  const healthy = ended === "exit status 0";
  tx.evidence.push({
    gate: "verify-command",
    verdict: healthy ? "healthy" : "unhealthy",
    probes: 1,
    expected: "exit status 0",
    lastSeen: ended,
  });
  if (!healthy) throw new GateError("verify-command", `verify-command: ${ended}. ${still(tx)}`);
}

function question({ request }: Transaction, host: string) {
  const { path, headers, timeout } = request.health;
  return { path, host: request.health.host ?? host, headers, timeout };
}

async function judge(
  tx: Transaction,
  gate: string,
  expected: Expectation,
  verdict: Verdict,
  sentence: (why: string) => string,
): Promise<void> {
  tx.evidence.push({
    gate,
    verdict: verdict.healthy ? "healthy" : "unhealthy",
    probes: verdict.seen.probes,
    expected: describeExpectation(expected),
    lastSeen: verdict.seen.lastSeen,
  });
  if (!verdict.healthy) await tx.guard.hold(); // a cut wire must not be taken for a bad candidate
  if (!verdict.healthy) throw new GateError(gate, `${sentence(verdict.why)} ${still(tx)}`);
  tx.log.info(`${gate}: ${verdict.seen.probes} probes, last ${verdict.seen.lastSeen}`);
}
