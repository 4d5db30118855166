import { Agent, get } from "node:http";

export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  /** the first failures, for a person */
  readonly failures: readonly string[];
  /** answers by release, as its header names it */
  readonly byRelease: Readonly<Record<string, number>>;
}

export interface LoadOptions {
  readonly keepAlive: number;
  readonly fresh: number;
  /** milliseconds; the load ends by itself then */
  readonly limit?: number;
  readonly path?: string;
  /** milliseconds between an answer and the next request of a client: a light load */
  readonly pause?: number;
  /** told of each request when it is over */
  readonly each?: (asked: Asked) => void;
}

/** One request, in milliseconds since 1970. */
export interface Asked {
  readonly from: number;
  readonly to: number;
  readonly release: string;
  /** undefined = a 200 */
  readonly failure: string | undefined;
}

/** Clients that ask one after the other, on kept and on new connections, until they are told to stop. */
export class Load {
  #stopped = false;
  #requests = 0;
  #failed = 0;
  readonly #failures: string[] = [];
  readonly #byRelease: Record<string, number> = {};
  readonly #lastAnswer: Record<string, number> = {};
  readonly #clients: Promise<void>[];
  readonly #each: (asked: Asked) => void;
  #watchers: (() => void)[] = [];

  constructor(
    private readonly url: string,
    { keepAlive, fresh, limit = 120_000, path = "/version", pause = 0, each = () => {} }: LoadOptions,
  ) {
    this.#each = each;
    const end = performance.now() + limit;
    const client = async (agent: Agent) => {
      while (!this.#stopped && performance.now() < end) {
        await this.#ask(`${this.url}${path}`, agent);
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      }
      agent.destroy();
    };
    this.#clients = [
      ...Array.from({ length: keepAlive }, () => client(new Agent({ keepAlive: true, maxSockets: 1 }))),
      ...Array.from({ length: fresh }, () => client(new Agent({ keepAlive: false }))),
    ];
  }

  /** Resolves when a release has answered at least once. */
  answeredBy(release: string): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if ((this.#byRelease[release] ?? 0) > 0) resolve();
      };
      this.#watchers.push(watch);
      watch();
    });
  }

  /** when a release answered last, in the milliseconds of performance.now(); 0 = never */
  lastAnswerOf(release: string): number {
    return this.#lastAnswer[release] ?? 0;
  }

  async stop(): Promise<LoadResult> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.result;
  }

  get result(): LoadResult {
    return {
      requests: this.#requests,
      failed: this.#failed,
      failures: this.#failures,
      byRelease: { ...this.#byRelease },
    };
  }

  #ask(url: string, agent: Agent): Promise<void> {
    return new Promise((resolve) => {
      const from = Date.now();
      const tell = (release: string, failure?: string) => this.#each({ from, to: Date.now(), release, failure });
      let over = false;
      const fail = (what: string, release = "") => {
        if (over) return;
        over = true;
        this.#failed += 1;
        tell(release, what);
        if (this.#failures.length < 10) this.#failures.push(`${new Date().toISOString()} ${what}`);
        resolve();
      };
      const request = get(url, { agent, timeout: 20_000 }, (response) => {
        response.resume();
        response.on("error", (error) => fail(error.message));
        response.on("end", () => {
          const release = String(response.headers["x-release"] ?? "?");
          this.#byRelease[release] = (this.#byRelease[release] ?? 0) + 1;
          this.#lastAnswer[release] = performance.now();
          for (const watch of this.#watchers) watch();
          if (response.statusCode !== 200) fail(`status ${response.statusCode} from ${release}`, release);
          else {
            over = true;
            tell(release);
            resolve();
          }
        });
      });
      this.#requests += 1;
      request.on("timeout", () => request.destroy(new Error("no answer in 20 s")));
      request.on("error", (error) => fail(error.message));
    });
  }
}
