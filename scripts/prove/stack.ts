// The profile full with settings of its own, and the sample app as a deploy would start it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineLabels } from "../../src/host/containers";
import { checkout } from "../../test/bed/bed";
import { docker, lines, run } from "../../test/bed/run";

const upSh = join(checkout, "monitoring/up.sh");
export const RELEASE = "r1";
const APP = "proof";

export interface Line {
  readonly message: string;
  readonly requestId?: string;
  readonly [field: string]: unknown;
}

export class Stack {
  private constructor(
    private readonly settings: string,
    private readonly image: string,
  ) {}

  static async named(name: string): Promise<Stack> {
    return new Stack(mkdtempSync(join(tmpdir(), `${name}-`)), `hello-devops-${name}`);
  }

  readonly app = `${APP}-${RELEASE}`;
  get secrets(): string {
    return join(this.settings, "secrets");
  }
  get downCommand(): string {
    return `docker rm --force ${this.app}; MONITORING_SETTINGS=${this.settings} ${upSh} --down`;
  }

  #upSh = (...words: string[]) => run(upSh, words, { env: { ...process.env, MONITORING_SETTINGS: this.settings } });

  async up(): Promise<void> {
    await docker(["build", "--tag", this.image, join(checkout, "app")]);
    await this.#upSh("full");
    const options = { "max-size": "10m", "max-file": "3", ...lineLabels };
    await docker([
      ...["run", "--detach", "--name", this.app, "--publish", "127.0.0.1:0:5000"],
      ...["--label", `hello-devops.app=${APP}`, "--label", `hello-devops.release=${RELEASE}`],
      ...["--env", "FAULTS=on", "--env", `APP_VERSION=${RELEASE}`, "--log-driver", "json-file"],
      ...Object.entries(options).flatMap(([name, value]) => ["--log-opt", `${name}=${value}`]),
      this.image,
    ]);
    await until("the app answers", async () => (await this.request("/health", "up")) === 200);
  }

  async down(): Promise<void> {
    await docker(["rm", "--force", "--volumes", this.app]).catch(() => {});
    await this.#upSh("--down");
    const volumes = await docker(["volume", "ls", "--quiet", "--filter", "label=hello-devops.monitoring"]);
    if (volumes) await docker(["volume", "rm", ...lines(volumes)]);
    await docker(["rmi", "--force", this.image]).catch(() => {});
    rmSync(this.settings, { recursive: true, force: true });
  }

  secret(name: string): string {
    return readFileSync(join(this.secrets, name), "utf8").trim();
  }
  get allSecrets(): string[] {
    return readdirSync(this.secrets).map((name) => this.secret(name));
  }

  /** Names of the containers of the monitoring. */
  async containers(): Promise<string[]> {
    return lines(await docker(["ps", "--all", "--filter", "label=hello-devops.monitoring", "--format", "{{.Names}}"]));
  }
  part = (name: string): string => `hello-devops-monitoring-${name}-1`;

  /** A request to the app; its status. */
  async request(path: string, id: string): Promise<number> {
    const [address] = lines(await docker(["port", this.app, "5000/tcp"]));
    const headers = { "X-Request-Id": id };
    return (
      await fetch(`http://${address}${path}`, { headers, signal: AbortSignal.timeout(10_000) }).catch(() => ({
        status: 0,
      }))
    ).status;
  }

  /** Text into the app's own output, as a crash would write it. */
  async write(text: string): Promise<void> {
    const program = `require("fs").writeSync(require("fs").openSync("/proc/1/fd/2", "w"), process.argv[1])`;
    await docker(["exec", this.app, "node", "-e", program, text]);
  }

  /** Asks Elasticsearch from inside, which is the only way there is; its answer's status and text. */
  async ask(
    path: string,
    { user = "elastic", secret = "elastic-password", body = "" } = {},
  ): Promise<{ status: number; text: string }> {
    const curl = `curl -sS -w '\\n%{http_code}' -K /dev/fd/3 ${body ? "-H 'Content-Type: application/json' --data-binary @-" : ""} "http://127.0.0.1:9200/$1" 3<<<"user = \\"$USER:$PASSWORD\\""`;
    const env = { ...process.env, USER: user, PASSWORD: this.secret(secret) };
    const words = [
      "exec",
      "-i",
      "--env",
      "USER",
      "--env",
      "PASSWORD",
      this.part("elasticsearch"),
      "bash",
      "-c",
      curl,
      "-",
      path,
    ];
    const out = await docker(words, { env, input: body });
    const at = out.lastIndexOf("\n");
    return { status: Number(out.slice(at + 1)), text: out.slice(0, at) };
  }

  async find(query: string): Promise<Line[]> {
    const body = JSON.stringify({ size: 1000, query: { query_string: { query } } });
    const { status, text } = await this.ask("logs-containers-default/_search", { body });
    if (status !== 200) return []; // on its way up or down
    return (JSON.parse(text) as { hits: { hits: { _source: Line }[] } }).hits.hits.map(({ _source }) => _source);
  }

  async kibana<T>(path: string, body?: unknown): Promise<T> {
    return get(`http://127.0.0.1:5601${path}`, `operator:${this.secret("operator-password")}`, body) as Promise<T>;
  }
  async grafana<T>(path: string): Promise<T> {
    return get(`http://127.0.0.1:3000${path}`, `admin:${this.secret("grafana-admin-password")}`) as Promise<T>;
  }
}

async function get(url: string, login: string, body?: unknown): Promise<unknown> {
  const headers = {
    Authorization: `Basic ${Buffer.from(login).toString("base64")}`,
    "kbn-xsrf": "true",
    "Content-Type": "application/json",
  };
  const answer = await fetch(url, { headers, ...(body ? { method: "POST", body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text.slice(0, 300)}`);
  return text.startsWith("{") && text.includes("\n{")
    ? text.split("\n").map((line) => JSON.parse(line))
    : JSON.parse(text);
}

/** Waits for a state, 5 minutes at most. */
export async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 300_000;
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`not within 5 minutes: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
