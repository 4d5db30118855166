import { within } from "../health/attempt";
import { runVerifyCommand } from "../health/command";
import { describeExpectation, type Expectation, mismatch } from "../health/expectation";
import {
  becomesHealthy,
  EAGER_INTERVAL,
  eagerPace,
  type Probe,
  staysHealthy,
  steadyPace,
  type Verdict,
} from "../health/gate";
import { ask, type Dial } from "../health/http";
import { still } from "./candidate";
import { GateError } from "./failure";
import type { Transaction } from "./transaction";

/**
 * The candidate, asked directly at its own address: no port is published for it. One that comes back has stood this gate
 * before, at its own interval: it is asked as often, but in quick succession.
 */
export async function probe(tx: Transaction): Promise<void> {
  const { candidate, request, clock, stop } = tx;
  const { expected, look } = directly(tx);
  const { interval, threshold, startTimeout } = request.health;
  const pace = tx.scene.kept ? steadyPace(EAGER_INTERVAL) : eagerPace(interval);
  const rules = { pace, threshold, limit: startTimeout };
  const verdict = await becomesHealthy(look, rules, clock, stop.signal);
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
  const { host, request } = tx;
  const header = request.traffic.releaseHeader;
  const expected: Expectation = {
    status: request.health.status,
    body: request.health.body,
    headers: header ? [{ name: header, is: request.version }] : [],
  };
  const look = looker(tx, expected, host.name, () => host.dial("127.0.0.1", request.traffic.httpPort));
  await watch(tx, expected, look, tx.bakeTime);
}

/** The candidate under a part of the traffic for so many milliseconds: at its own address, for through the proxy either release may answer. */
export async function bakeDirectly(tx: Transaction, span: number): Promise<void> {
  const { expected, look } = directly(tx);
  await watch(tx, expected, look, span);
}

/** The candidate at its own address: there nothing names the release. */
function directly(tx: Transaction): { readonly expected: Expectation; readonly look: Probe } {
  const { candidate, host, request } = tx;
  const expected = { status: request.health.status, body: request.health.body };
  const look = looker(tx, expected, candidate.address, () => host.dial(candidate.address, candidate.port));
  return { expected, look };
}

async function watch(tx: Transaction, expected: Expectation, look: Probe, span: number): Promise<void> {
  const { request, clock, stop } = tx;
  const { interval, threshold } = request.health;
  const rules = {
    pace: steadyPace(interval, 1),
    span,
    settles: true,
    broken: ({ wrongInARow }: { readonly wrongInARow: number }) =>
      wrongInARow >= threshold ? `${wrongInARow} wrong answers in a row` : undefined,
  };
  const verdict = await staysHealthy(look, rules, clock, stop.signal);
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

/** One question over a stream of its own, and what its answer lacks. */
function looker({ request, clock }: Transaction, expected: Expectation, host: string, dial: Dial): Probe {
  const { path, headers, timeout } = request.health;
  const question = { path, host: request.health.host ?? host, headers };
  return async () => {
    const answer = await within(timeout, (attempt) => ask(dial, question, attempt, clock.now));
    const wrong = mismatch(answer, expected)?.text;
    const right = `status ${answer.status} in ${Math.round(answer.milliseconds)} ms`;
    return { standing: wrong ? "wrong" : "right", seen: wrong ?? right, milliseconds: answer.milliseconds };
  };
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
    verdict: verdict.status,
    probes: verdict.seen.probes,
    expected: describeExpectation(expected),
    lastSeen: verdict.seen.lastSeen,
  });
  if (verdict.status !== "healthy") await tx.guard.hold(); // a cut wire must not be taken for a bad candidate
  if (verdict.status !== "healthy") throw new GateError(gate, `${sentence(verdict.why)} ${still(tx)}`);
  tx.log.info(`${gate}: ${verdict.seen.probes} probes, last ${verdict.seen.lastSeen}`);
}
