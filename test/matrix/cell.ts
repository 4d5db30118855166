import type { BedHost } from "../bed/bed";
import { docker } from "../bed/run";
import { judge, settled } from "../support/judge";
import { thereNow } from "../support/leftovers";
import { inBox, whoServes } from "../support/outside";
import type { Ended, Step } from "../support/runner";
import { another, type Site } from "./site";
import { primed } from "./strike";
import { type Cell, mayStick, outages, strategies } from "./table";
import { BetweenReleases, clock, type Span, Watch } from "./watch";

export interface Result {
  readonly cell: Cell;
  /** what was not as it must be, in sentences; empty = ok */
  readonly wrong: string[];
  /** who served after the fault */
  served: "old" | "new" | "?";
  seconds: number;
  /** the deploy said that the host could not finish, and that the next deploy will: it did */
  stuck: boolean;
  /** milliseconds without answers that the fault itself explains */
  outage: number;
  requests: number;
  /** all in an outage, where nothing is wrong */
  failed: number;
  /** what happened, for a person */
  readonly story: string[];
}

const CELL_LIMIT = 150_000;
const REST_LIMIT = 20_000; // until all is as it must be; requests are counted meanwhile

/** One cell: a deploy, a fault in its phase, a look from outside, the next deploy, a reboot, a second look. */
export async function runCell(cell: Cell, site: Site): Promise<Result> {
  const result: Result = {
    cell,
    wrong: [],
    served: "?",
    stuck: false,
    seconds: 0,
    outage: 0,
    requests: 0,
    failed: 0,
    story: [],
  };
  const begin = performance.now();
  const run = new Run(cell, site, result);
  const limit = AbortSignal.timeout(CELL_LIMIT);
  const late = new Promise<never>((_, reject) => {
    limit.addEventListener("abort", () => reject(new Error(`not over within ${CELL_LIMIT / 1000} s`)));
  });
  try {
    await Promise.race([run.play(), late]);
  } catch (error) {
    result.wrong.push((error as Error).message);
  } finally {
    await run.end();
  }
  site.leftIn(run.last, result.wrong);
  result.seconds = (performance.now() - begin) / 1000;
  return result;
}

class Run {
  readonly #host: BedHost;
  #watch: Watch | undefined;
  #between: BetweenReleases | undefined;
  #step: Step | undefined;
  /** what the host was left with */
  last = "";

  constructor(
    private readonly cell: Cell,
    private readonly site: Site,
    private readonly result: Result,
  ) {
    this.#host = site.host;
  }

  async play(): Promise<void> {
    const { cell, site, result } = this;
    const live = await site.standing(cell.strategy);
    const candidate = await site.candidateFor(cell, live);
    this.#tell(`${live} serves on ${this.#host.name}, ${candidate} is deployed`);
    const watch = new Watch(this.#host);
    this.#watch = watch;
    const begin = await watch.goodAfter(0);
    this.#between = strategies[cell.strategy] === "none" ? undefined : new BetweenReleases(this.#host);

    const { ended, outage } = await this.#strike(watch, candidate);
    const rest = Date.now();
    const now = result.stuck ? await this.#lookAtAnswers() : await this.#look("after the fault");
    result.served = now === live ? "old" : now === candidate ? "new" : "?";
    this.#judgeStory(ended);
    this.#judgeAnswers(watch, { from: rest, to: Date.now() }, [now]);
    if (now === live && !ended.log.includes("::group::shift"))
      this.#judgeAnswers(watch, { from: begin, to: Date.now() }, [live]);

    const next = another(now);
    await this.#deployNext(next);
    if (result.stuck) await this.#look("after the next deploy");
    const excused = [...outage, ...((await this.#between?.spans(watch)) ?? [])];
    await this.#judgeRequests(watch, excused);

    await docker(["restart", this.#host.container]);
    await inBox(this.#host, "bed-ctl", "wait");
    const then = await this.#look("after the reboot");
    this.last = then;
    if (then !== next) result.wrong.push(`after the reboot ${then || "nothing"} serves, not ${next}`);
  }

  async end(): Promise<void> {
    this.#step?.kill("SIGKILL");
    this.#between?.end();
    await this.#watch?.stop();
  }

  async #strike(watch: Watch, candidate: string): Promise<{ ended: Ended; outage: Span[] }> {
    const { cell, result } = this;
    const strike = await primed(cell.fault, this.#host, cell.phase);
    const step = this.site.startFor(cell, candidate);
    this.#step = step;
    void step.ended.then(({ log, code }) => this.#tell(`the step ended with ${code}:\n${log}`));
    await step.reaches(cell.phase);
    const from = Date.now();
    this.#tell(`${cell.fault}, in ${cell.phase}`);
    await strike.now(step);
    const struck = Date.now();
    this.#tell("the fault has run its course");
    await strike.meanwhile?.(step);
    const ended = await step.ended;
    await strike.afterwards?.();
    result.stuck = mayStick.includes(cell.fault) && /tries again at the next deploy/.test(ended.log);
    if (!result.stuck) await settled(this.#host);
    this.#tell(result.stuck ? "the host could not settle, and said so" : "the host has settled");
    const longest = outages[cell.fault];
    if (longest === undefined) return { ended, outage: [] };
    const to = await watch.goodAfter(struck);
    this.#tell(`answers again since ${clock(to)}`);
    result.outage = to - from;
    if (result.outage > longest) result.wrong.push(`no answer for ${result.outage} ms`);
    return { ended, outage: [{ from, to }] };
  }

  /** Looks until all is as it must be, for a while. @returns the committed release's version */
  async #look(when: string): Promise<string> {
    const end = performance.now() + REST_LIMIT;
    while (!(await whoServes(this.#host)) && performance.now() < end) await pause(100); // a look at all costs more
    for (;;) {
      const { version, wrong } = await judge(this.#host);
      const seen = [...wrong, ...(await thereNow(this.#host))];
      if (seen.length === 0) return version;
      if (performance.now() > end) {
        this.result.wrong.push(...seen.map((sentence) => `${when}: ${sentence}`));
        return version;
      }
      await pause(500);
    }
  }

  /** Of a host with a journal that waits for the next deploy: what is committed serves, whatever else is there. */
  async #lookAtAnswers(): Promise<string> {
    const [{ version, busy }, serves] = await Promise.all([judge(this.#host), whoServes(this.#host)]);
    if (serves !== version) this.result.wrong.push(`${serves ?? "nothing"} answers, but ${version} is committed`);
    if (!["", "journal"].includes(busy.join()))
      this.result.wrong.push(`the host is said to be at rest, but there is: ${busy}`);
    return version;
  }

  /** Exit status, outputs and truth tell the same story, and it is the right one. */
  #judgeStory({ code, outputs }: Ended): void {
    const { cell, result } = this;
    const { served } = result;
    if (served === "?" || (cell.serves !== "told" && served !== cell.serves))
      result.wrong.push(`the ${served} release serves, not the ${cell.serves === "told" ? "old or new" : cell.serves}`);
    const told = code === null ? "nothing" : `${outputs.status} (${code})`;
    const right = served === "new" ? /^deployed \(0\)$/ : /^(rolled-back|failed) \(1\)$/;
    if (cell.fault === "runner SIGKILLed" ? code !== null : !right.test(told))
      result.wrong.push(`the deploy said ${told}, and the ${served} release serves`);
  }

  #judgeAnswers(watch: Watch, span: Span, allowed: readonly string[]): void {
    const strange = watch.releases(span).filter((release) => !allowed.includes(release));
    if (strange.length > 0)
      this.result.wrong.push(`${strange} answered between ${clock(span.from)} and ${clock(span.to)}`);
  }

  async #deployNext(next: string): Promise<void> {
    const { code, outputs, log } = await this.site.deploy(next, this.cell.strategy);
    const late = this.result.stuck ? /holds the lock/ : /holds the lock|An earlier deploy had died/;
    if (outputs.status === "deployed" && code === 0 && !late.test(log)) return;
    this.result.wrong.push(`the next deploy did not work at once: ${outputs.status} (${code})`);
    this.#tell(`the next deploy:\n${log}`);
  }

  async #judgeRequests(watch: Watch, excused: readonly Span[]): Promise<void> {
    const { result } = this;
    result.requests = (await watch.stop()).requests;
    const { failed, unexcused } = watch.failures(excused);
    result.failed = failed;
    if (result.requests < 20) result.wrong.push(`only ${result.requests} requests were made`);
    if (unexcused.length > 0)
      result.wrong.push(`${unexcused.length} requests failed outside an outage: ${unexcused.slice(0, 5).join("; ")}`);
    for (const { from, to } of excused) this.#tell(`failures were excused from ${clock(from)} to ${clock(to)}`);
  }

  #tell(what: string): void {
    this.result.story.push(`${clock(Date.now())} ${what}`);
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
