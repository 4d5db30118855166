import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientChannel } from "ssh2";
import { UserError } from "../../user-error";
import type { Connection } from "../connection";
import { DeedFailed, type GuardFacts, GuardLost, refusal } from "./failures";

/**
 * The runner's end of the guard (guard.sh). One message a line:
 *
 *     LOCK n HOW          it is this host's turn to be locked       -> OK n, once the lock is taken
 *     BEAT n              the runner lives                          -> OK n
 *     BEGIN n RELEASE     opens the journal for a target            -> OK n
 *     UNDO n VERB ARG...  what takes the next mutation back         -> OK n, once it is on disk
 *     RETIRE n VERB ...   what follows the commit                   -> OK n, once it is on disk
 *     DO n VERB ARG...    a deed that the guard does itself         -> OK n [BASE64 or number] | FAIL n BASE64
 *     PREPARE n           a fleet's host: all but the rename is done -> OK n, once it is on disk
 *     COMMIT n            renames `current`                         -> COMMITTED n
 *     FINISH n            retires the old release                   -> RETIRED n | STUCK n ENTRY
 *     REVERT n            a prepared commit is taken back           -> ABORTED n | STUCK n ENTRY
 *     ABORT n             takes everything back                     -> UNDONE ENTRY ..., ABORTED n | COMMITTED n | STUCK n ENTRY
 *     BYE n               lets the lock go                          -> OK n
 *
 * Before READY it says GUARD, FACTS, HELD (each time the holder changes) or REFUSED; LOST as it fences.
 */
export interface GuardOptions {
  readonly app: string;
  readonly transaction: string;
  /** milliseconds */
  readonly lease: number;
  /** who holds the lock, for those who wait */
  readonly holder: string;
  /** `look` reads only: no lock, no replay */
  readonly mode: "deploy" | "look";
  readonly onHeld: (holder: string) => void;
  readonly onEvent: (line: string) => void;
  /** monotonic milliseconds */
  readonly now: () => number;
}

/** What the guard found when it took the lock. */
export interface Found {
  /** the committed release; '' = there is none */
  readonly current: string;
  /**
   * what it did with the journal of a deploy that died; `pending` = it is there, and this is only a look. `prepared`,
   * `committed` = it is this deploy's own, taken over as it was: before and after the rename
   */
  readonly recovered: "nothing" | "undone" | "finished" | "pending" | "prepared" | "committed";
  /** an entry that it could not do */
  readonly stuck: string | undefined;
}

/**
 * What a guard asks the lock for: a deploy that begins; the same deploy after a lost connection, which takes its own
 * prepared journal over; or a look at what came of it, which settles whatever was left.
 */
export type Turn = "first" | "again" | "settle";

interface Waiting {
  readonly sentAt: number;
  readonly what: string;
  resolve(answer: string): void;
  reject(error: Error): void;
}

const program = () => readFileSync(join(__dirname, "guard.sh"), "utf8");
const BEATS_A_LEASE = 5;
const READY_TIMEOUT = 60_000; // milliseconds besides the wait for the lock: what a dead deploy left is taken back meanwhile
const HOLDER_CHARACTERS = /[^A-Za-z0-9 _.:/@#=-]/g;

export class Guard {
  facts: GuardFacts = { dockerGroup: "", memoryFree: 0 };
  /** settles with the reason when the guard is no longer there, and nobody has said bye */
  readonly lost: Promise<GuardLost>;
  readonly #channel: ClientChannel;
  readonly #options: GuardOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #found: Promise<Found>;
  #settleFound!: { resolve(found: Found): void; reject(error: Error): void };
  #settleLost!: (error: GuardLost) => void;
  /** settles when another guard is found to hold the lock */
  readonly #held: Promise<void>;
  #settleHeld!: () => void;
  #number = 0;
  #provenAt: number;
  #buffer = "";
  #stderr = "";
  #first = true;
  /** READY was said */
  #settled = false;
  #stuck: string | undefined;
  #gone: GuardLost | undefined;
  #bye: Promise<void> | undefined;
  #beats: NodeJS.Timeout | undefined;

  private constructor(channel: ClientChannel, options: GuardOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#provenAt = options.now();
    this.lost = new Promise((resolve) => {
      this.#settleLost = resolve;
    });
    this.#held = new Promise((resolve) => {
      this.#settleHeld = resolve;
    });
    this.#found = new Promise((resolve, reject) => {
      this.#settleFound = { resolve, reject };
    });
    this.#found.catch(() => {}); // reported by whoever awaits ready()
    channel.setEncoding("utf8");
    channel.on("data", (text: string) => this.#read(text));
    channel.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString("utf8")}`.slice(-2000);
    });
    channel.on("error", () => {});
    channel.once("close", () => this.#end(this.#stderr.trim().split("\n").at(-1) || "its channel closed"));
  }

  /** Starts the guard on the host. It is the deploy's only once `ready()` has answered. */
  static async start(connection: Connection, options: GuardOptions): Promise<Guard> {
    const holder = options.holder.replace(HOLDER_CHARACTERS, "_").slice(0, 300);
    const seconds = Math.round(options.lease / 1000);
    const channel = await connection.exec(
      `exec bash --norc --noprofile -s -- ${options.app} ${options.transaction} ${seconds} '${holder}' ${options.mode}`,
    );
    const guard = new Guard(channel, options);
    channel.write(program());
    guard.#beats = setInterval(() => guard.#tick(), options.lease / BEATS_A_LEASE);
    return guard;
  }

  /**
   * Takes the app's lock; waits for it `timeout` milliseconds at most.
   *
   * @throws {FolderAbsent} on the first deploy; {UserError} when the host can't have a guard, or the lock stays held.
   */
  lock(turn: Turn, timeout: number, signal: AbortSignal): Promise<void> {
    return this.#within(
      Promise.race([this.#ask("LOCK", turn), this.refused]),
      timeout + READY_TIMEOUT,
      `the guard on the host did not take the lock within ${(timeout + READY_TIMEOUT) / 1000} s. Does its Docker answer (docker ps)? Run this deploy again.`,
      signal,
      {
        timeout,
        why: `another deploy of "${this.#options.app}" held the lock for all of ${timeout / 1000} s. Nothing was changed. Wait for it to end and run this one again.`,
      },
    ).then(() => {});
  }

  /** Once it has the lock: what it found, and what it did with what a dead deploy had left. */
  ready(signal: AbortSignal): Promise<Found> {
    const why = `the guard on the host was not ready within ${READY_TIMEOUT / 1000} s. Does its Docker answer (docker ps)? Run this deploy again.`;
    return this.#within(this.#found, READY_TIMEOUT, why, signal);
  }

  /** Never resolves: rejects when the host can't have a guard. */
  get refused(): Promise<never> {
    return this.#found.then(() => new Promise<never>(() => {}));
  }

  #within<T>(
    what: Promise<T>,
    limit: number,
    why: string,
    signal: AbortSignal,
    held?: { readonly timeout: number; readonly why: string },
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const give = (error: Error) => {
        this.close();
        reject(error);
      };
      const timers: NodeJS.Timeout[] = [];
      const bound = (milliseconds: number, reason: string) =>
        timers.push(setTimeout(() => give(new UserError(`lock-timeout: ${reason}`)), milliseconds));
      bound(limit, why);
      let over = false;
      if (held) void this.#held.then(() => over || bound(held.timeout, held.why));
      const onAbort = () => give(new Error("cancelled while waiting for the lock"));
      signal.addEventListener("abort", onAbort, { once: true });
      what.then(resolve, reject).finally(() => {
        over = true;
        for (const timer of timers) clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      });
    });
  }

  begin(release: string): Promise<string> {
    return this.#ask("BEGIN", release);
  }

  /** The entry is on the host's disk when this resolves; only then may the mutation be sent. */
  async undo(...entry: readonly string[]): Promise<void> {
    await this.#ask("UNDO", ...entry);
  }

  async retire(...entry: readonly string[]): Promise<void> {
    await this.#ask("RETIRE", ...entry);
  }

  /** @throws {DeedFailed} with what the host said */
  async do(...deed: readonly string[]): Promise<string> {
    await this.hold();
    return this.#ask("DO", ...deed);
  }

  /** A deed whose answer is a text: a file of the state folder, or all release.json as one array. '' = no such file. */
  async read(...deed: readonly string[]): Promise<string> {
    return Buffer.from(await this.do(...deed), "base64").toString("utf8");
  }

  /** All but the rename is done, and a lost runner gets a lease's time to come back and decide. */
  async prepare(): Promise<void> {
    await this.hold();
    await this.#ask("PREPARE");
  }

  /** Resolves when `current` is renamed. */
  async commit(): Promise<void> {
    await this.hold();
    await this.#ask("COMMIT");
  }

  /** Resolves when the old release has stopped, with the entry that is stuck, if any. */
  async finish(): Promise<string | undefined> {
    const answer = await this.#ask("FINISH");
    return answer === "RETIRED" ? undefined : answer;
  }

  /** Another host of the fleet could not commit: this one goes back, too. @returns the entry that is stuck, if any */
  async revert(): Promise<string | undefined> {
    const answer = await this.#ask("REVERT");
    this.close();
    return answer === "ABORTED" ? undefined : answer;
  }

  /**
   * Everything is taken back when this resolves, but for `stuck`, an entry that could not be. `committed`: the rename had
   * gone through after all, and the host has gone forward.
   */
  async abort(): Promise<{ readonly committed: boolean; readonly stuck: string | undefined }> {
    const answer = await this.#ask("ABORT");
    this.close();
    const settled = answer === "ABORTED" || answer === "COMMITTED";
    return { committed: answer === "COMMITTED", stuck: settled ? undefined : answer };
  }

  /** A record that nothing leads to any more. It may stand in line behind `finish`, which takes as long as a drain. */
  async forget(release: string): Promise<void> {
    await this.#ask("DO", "forget", release);
  }

  /** Once, however often it is said. */
  bye(): Promise<void> {
    this.#bye ??= this.#ask("BYE")
      .catch(() => {})
      .then(() => this.close());
    return this.#bye;
  }

  /** Ends the channel: where a transaction is open, the guard fences this connection and takes it back. */
  close(): void {
    clearInterval(this.#beats);
    this.#channel.end();
  }

  /**
   * Before each mutation: the guard answered something that was sent less than half a lease ago. A runner that slept
   * longer (stopped, swapped out, its wire cut) has perhaps been taken back already, and must not touch the host again.
   *
   * @throws {GuardLost}
   */
  async hold(): Promise<void> {
    if (this.#gone) throw this.#gone;
    const half = this.#options.lease / 2;
    if (this.#options.now() - this.#provenAt <= half) return;
    await Promise.race([this.#beat(), silence(half)]);
    if (this.#options.now() - this.#provenAt > half) {
      this.#end(`no answer for ${(half / 1000).toFixed(1)} s, half the lease`);
      throw this.#gone ?? new GuardLost("silent");
    }
  }

  /** Tells the guard that the runner lives, and notices in a long wait that the guard doesn't: it would answer, unless it is at work. */
  #tick(): void {
    const atWork = [...this.#waiting.values()].some(({ what }) => what !== "BEAT");
    const { lease, now } = this.#options;
    if (this.#settled && !atWork && now() - this.#provenAt > lease)
      this.#end(`no answer for ${lease / 1000} s, the lease`);
    else this.#beat().catch(() => {});
  }

  #beat(): Promise<string> {
    return this.#ask("BEAT");
  }

  #ask(kind: string, ...words: readonly string[]): Promise<string> {
    if (this.#gone) return Promise.reject(this.#gone);
    const number = ++this.#number;
    const sentAt = this.#options.now();
    const what = [kind, ...words.map((word) => (word.length > 64 ? `(${word.length} characters)` : word))].join(" ");
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { sentAt, what, resolve, reject });
      this.#channel.write(`${[kind, number, ...words].join(" ")}\n`);
    });
  }

  #read(text: string): void {
    const lines = `${this.#buffer}${text}`.split("\n");
    this.#buffer = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (this.#first && line !== "GUARD 1") {
      this.#refuse(
        new UserError(
          `The host wrote "${line.slice(0, 80)}" before the guard's first word: a start-up file of its shell (.bashrc, .profile) prints something. Let it print only in interactive shells.`,
        ),
      );
      this.#channel.end();
      return;
    }
    this.#first = false;
    const [word = "", ...rest] = line.split(" ");
    if (
      word === "OK" ||
      word === "FAIL" ||
      word === "COMMITTED" ||
      word === "RETIRED" ||
      word === "ABORTED" ||
      word === "STUCK"
    ) {
      this.#answer(word, Number(rest[0]), rest.slice(1).join(" "));
      return;
    }
    this.#options.onEvent(line);
    if (word === "FACTS") this.facts = { dockerGroup: rest[0] ?? "", memoryFree: Number(rest[1]) * 1024 };
    else if (word === "HELD") this.#onHeld(rest.join(" "));
    else if (word === "REFUSED")
      this.#refuse(refusal(this.#options.app, this.facts, rest[0] ?? "", rest.slice(1).join(" ")));
    else if (word === "LOST") this.#end(`it took the host back: ${rest.join(" ")}`);
    else if (word === "READY") {
      const [current = "", recovered = "nothing"] = rest;
      this.#settled = true;
      this.#settleFound.resolve({ current, recovered: recovered as Found["recovered"], stuck: this.#stuck });
    }
  }

  #onHeld(holder: string): void {
    this.#settleHeld();
    this.#options.onHeld(holder);
  }

  #answer(word: string, number: number, text: string): void {
    if (word === "STUCK" && number === 0) this.#stuck = text;
    const waiting = this.#waiting.get(number);
    if (!waiting) return;
    this.#waiting.delete(number);
    this.#provenAt = Math.max(this.#provenAt, waiting.sentAt);
    const took = Math.round(this.#options.now() - waiting.sentAt);
    if (waiting.what !== "BEAT") this.#options.onEvent(`${waiting.what}: ${word} in ${took} ms`);
    if (word === "FAIL") waiting.reject(new DeedFailed(waiting.what, Buffer.from(text, "base64").toString("utf8")));
    else waiting.resolve(word === "OK" ? text : word === "STUCK" ? text : word);
  }

  /** Said before its channel closes: whoever waits hears this, and not that it is gone. */
  #refuse(error: Error): void {
    this.#settleFound.reject(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #end(why: string): void {
    if (this.#gone) return;
    clearInterval(this.#beats);
    this.#gone = new GuardLost(`the guard on ${this.#options.app} is gone: ${why}`);
    this.#settleFound.reject(this.#gone);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone);
    this.#waiting.clear();
    if (!this.#bye) this.#settleLost(this.#gone);
  }
}

const silence = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
