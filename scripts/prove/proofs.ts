// What prove:full claims, one by one.
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { checkout } from "../../test/bed/bed";
import { docker, run } from "../../test/bed/run";
import { savedObjects } from "../../test/monitoring/saved-objects";
import { RELEASE, type Stack, until } from "./stack";

interface Proof {
  readonly claim: string;
  readonly prove: (stack: Stack) => Promise<void>;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

export const proofs: readonly Proof[] = [
  { claim: "a request's line is found by its release and its id, with its error's stack", prove: requestLine },
  { claim: "a stack trace is one document", prove: stackTrace },
  { claim: "a line that is no JSON is kept, and tagged _unparsed", prove: plainLine },
  { claim: "Elasticsearch stopped: the app goes on, and no line is lost or there twice", prove: storeDown },
  {
    claim: "Logstash killed: what the app says meanwhile comes when it is back, and nothing comes twice",
    prove: shipperKilled,
  },
  { claim: "the life cycle holds each index of the stream", prove: lifeCycle },
  { claim: "Logstash's user can read nothing", prove: writerOnly },
  { claim: "Kibana answers, and has data view, searches and dashboard", prove: kibana },
  { claim: "Grafana answers with its dashboards", prove: grafana },
  { claim: "port 9200 answers at none of the machine's addresses", prove: storeHidden },
  { claim: "no password is in docker inspect, or in the arguments of a process", prove: passwordsHidden },
];

async function requestLine(stack: Stack): Promise<void> {
  expect((await stack.request("/fault/error", "proof-error")) === 500, "the app did not answer 500");
  const found = () => stack.find(`release:${RELEASE} AND requestId:"proof-error"`);
  await until("the line is found", async () => (await found()).length > 0);
  const [line] = await found();
  const { app, container, level, stream, err } = line as Record<string, unknown>;
  const seen = JSON.stringify({ app, container, level, stream });
  expect(
    seen === JSON.stringify({ app: "proof", container: stack.app, level: "error", stream: "stdout" }),
    `it is ${seen}`,
  );
  expect(String((err as { stack?: string } | undefined)?.stack).includes("\n    at "), "it has no stack");
}

async function stackTrace(stack: Stack): Promise<void> {
  const trace = "Error: proof of a trace\n    at one (a.js:1:1)\n    at two (b.js:2:2)\n    at three (c.js:3:3)";
  await stack.write(`${trace}\n`);
  const found = () => stack.find('message:"proof of a trace"');
  await until("it is found", async () => (await found()).length > 0);
  expect((await found())[0]?.message === trace, `it is ${JSON.stringify((await found())[0]?.message)}`);
}

async function plainLine(stack: Stack): Promise<void> {
  await stack.write("proof of a plain line\n");
  await until(
    "it is found",
    async () => (await stack.find('message:"proof of a plain line" AND tags:_unparsed')).length === 1,
  );
}

/** Each id once, and no other. */
async function all(stack: Stack, prefix: string, count: number): Promise<void> {
  const ids = async () => (await stack.find(`requestId:${prefix}*`)).map(({ requestId }) => requestId);
  await until(`${count} lines are found`, async () => new Set(await ids()).size === count);
  const found = await ids();
  expect(found.length === count, `${found.length} documents for ${count} requests`);
}

async function ask(stack: Stack, prefix: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    expect((await stack.request("/version", `${prefix}${n}`)) === 200, `the app did not answer request ${n}`);
}

async function storeDown(stack: Stack): Promise<void> {
  await docker(["stop", stack.part("elasticsearch")]);
  try {
    await ask(stack, "down", 300);
  } finally {
    await docker(["start", stack.part("elasticsearch")]);
  }
  await all(stack, "down", 300);
}

async function shipperKilled(stack: Stack): Promise<void> {
  await ask(stack, "killa", 100);
  await all(stack, "killa", 100);
  await docker(["kill", stack.part("logstash")]);
  try {
    await ask(stack, "killb", 100);
  } finally {
    await docker(["start", stack.part("logstash")]);
  }
  await all(stack, "kill", 200);
}

async function lifeCycle(stack: Stack): Promise<void> {
  const { text } = await stack.ask("logs-containers-default/_ilm/explain");
  const { indices } = JSON.parse(text) as { indices: Record<string, { managed: boolean; policy?: string }> };
  const policies = Object.values(indices).map(({ managed, policy }) => managed && policy);
  expect(policies.length > 0 && policies.every((policy) => policy === "hello-devops-logs"), text);
}

async function writerOnly(stack: Stack): Promise<void> {
  const { status } = await stack.ask("logs-containers-default/_search", {
    user: "logstash_writer",
    secret: "logstash-password",
  });
  expect(status === 403, `a search as logstash_writer is answered ${status}`);
}

async function kibana(stack: Stack): Promise<void> {
  const objects = savedObjects.map(({ type, id }) => ({ type, id }));
  const kept = await stack.kibana<{ type: string; id: string }[]>("/api/saved_objects/_export", { objects });
  const name = ({ type, id }: { type: string; id: string }) => `${type} ${id}`;
  const missing = objects.map(name).filter((one) => !kept.map(name).includes(one));
  expect(missing.length === 0, `missing: ${missing.join(", ")}`);
}

async function grafana(stack: Stack): Promise<void> {
  const folder = join(checkout, "monitoring/grafana/dashboards");
  const uids = readdirSync(folder).flatMap(
    (file) => (JSON.parse(readFileSync(join(folder, file), "utf8")) as { uid: string }).uid,
  );
  const has = (await stack.grafana<{ uid: string }[]>("/api/search?type=dash-db")).map(({ uid }) => uid);
  const missing = uids.filter((uid) => !has.includes(uid));
  expect(uids.length > 0 && missing.length === 0, `missing: ${missing.join(", ")}`);
}

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const say = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket
      .once("connect", () => say(true))
      .once("error", () => say(false))
      .once("timeout", () => say(false));
  });

async function storeHidden(): Promise<void> {
  const own = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.filter(({ scopeid }) => !scopeid).map(({ address }) => address),
  );
  expect(await answers("127.0.0.1", 5601), "Kibana's port, which is open, is not seen: this proof sees nothing");
  for (const address of own) expect(!(await answers(address, 9200)), `${address}:9200 answers`);
}

async function passwordsHidden(stack: Stack): Promise<void> {
  const inspected = await docker(["inspect", ...(await stack.containers())]);
  const processes = await run("ps", ["-eo", "args"]);
  expect(inspected.includes("/run/secrets/elastic-password"), "no inspection was read");
  for (const secret of stack.allSecrets) {
    expect(!inspected.includes(secret), "docker inspect has one");
    expect(!processes.includes(secret), "the list of processes has one");
  }
}
