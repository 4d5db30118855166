import { type ChildProcess, spawn } from "node:child_process";
import type { BedHost } from "../bed/bed";
import { type Asked, Load, type LoadResult } from "../support/load";

/** Milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A user of the host, from the cell's begin to its end: light, but on kept and on new connections. */
export class Watch {
  readonly #failed: Asked[] = [];
  readonly #good: Asked[] = [];
  readonly #load: Load;
  #waiting: { readonly after: number; resolve(at: number): void }[] = [];

  constructor(host: BedHost) {
    this.#load = new Load(host.url, {
      keepAlive: 2,
      fresh: 1,
      pause: 40,
      limit: 240_000,
      each: (it) => this.#each(it),
    });
  }

  #each(asked: Asked): void {
    if (asked.failure !== undefined) {
      this.#failed.push(asked);
      return;
    }
    this.#good.push(asked);
    for (const { after, resolve } of this.#waiting) if (asked.from >= after) resolve(asked.to);
    this.#waiting = this.#waiting.filter(({ after }) => asked.from < after);
  }

  /** When a request that began after this moment was answered with a 200, for the first time. */
  goodAfter(after: number): Promise<number> {
    const already = this.#good.find(({ from }) => from >= after);
    if (already) return Promise.resolve(already.to);
    return new Promise((resolve) => this.#waiting.push({ after, resolve }));
  }

  /** Who answered in a span. */
  releases({ from, to }: Span): readonly string[] {
    return [...new Set(this.#good.filter((asked) => asked.from >= from && asked.to <= to).map((it) => it.release))];
  }

  stop(): Promise<LoadResult> {
    return this.#load.stop();
  }

  /** The failed requests, and of these, those that no span excuses. A request is excused by a span that it lived in. */
  failures(excused: readonly Span[]): { readonly failed: number; readonly unexcused: readonly string[] } {
    const free = ({ from, to }: Asked) => !excused.some((span) => from <= span.to && to >= span.from);
    return {
      failed: this.#failed.length,
      unexcused: this.#failed.filter(free).map(({ from, to, failure }) => `${clock(from)} to ${clock(to)}: ${failure}`),
    };
  }
}

export const clock = (at: number): string => new Date(at).toISOString().slice(11, 23);

/** The proxy sends nothing more to a release shortly before it is told to end; in milliseconds, with six hosts on two cores. */
const DRAINED = 1500;

/** By dockerd's own events: the times in which a strategy that stops before it starts has nothing that could answer. */
export class BetweenReleases {
  #child: ChildProcess | undefined;
  #events = "";
  #over = false;

  constructor(
    private readonly host: BedHost,
    private readonly app = "web",
  ) {
    this.#listen();
  }

  /** The stream ends with dockerd; another follows as soon as it is back. What fails in between is dockerd's outage. */
  #listen(): void {
    const filters = [`label=hello-devops.app=${this.app}`, "label=hello-devops.role=app", "event=kill", "event=start"];
    const events = `docker events --format '{{.TimeNano}} {{.Action}}' ${filters.map((it) => `--filter ${it}`).join(" ")}`;
    // it ends with its input, too: a client that is killed leaves what it ran in the box
    const script = `exec 3<&0; ${events} & events=$!; (read -r -u 3; kill "$events") & reader=$!; wait "$events"; kill "$reader"`;
    const child = spawn("docker", ["exec", "-i", this.host.container, "bash", "-c", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child = child;
    child.stdin?.on("error", () => {});
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#events += text;
    });
    child.once("close", () => {
      if (!this.#over) setTimeout(() => this.#over || this.#listen(), 100);
    });
  }

  end(): void {
    this.#over = true;
    this.#child?.stdin?.end();
  }

  /** From each first signal that ends a release to the first answer after the start that follows. */
  async spans(watch: Watch): Promise<readonly Span[]> {
    this.end();
    const spans: Span[] = [];
    let from = 0;
    for (const line of this.#events.split("\n")) {
      const [nano, action] = line.split(" ");
      const at = Number(nano) / 1e6;
      if (action === "kill" && from === 0) from = at - DRAINED;
      if (action !== "start" || from === 0) continue;
      spans.push({ from, to: await watch.goodAfter(at) });
      from = 0;
    }
    return spans;
  }
}
