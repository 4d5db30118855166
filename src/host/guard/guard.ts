import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientChannel } from "ssh2";
import type { Connection } from "../connection";
import { type GuardFacts, GuardLost, refusal } from "./failures";
import { Messages } from "./messages";
import { within } from "./within";

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

const program = () => readFileSync(join(__dirname, "guard.sh"), "utf8");
const BEATS_A_LEASE = 5;
const READY_TIMEOUT = 60_000; // milliseconds besides the wait for the lock: what a dead deploy left is taken back meanwhile
const HOLDER_CHARACTERS = /[^A-Za-z0-9 _.:/@#=-]/g;

/** The runner's end of the guard (guard.sh): messages.ts has what they say to each other. */
export class Guard {
  facts: GuardFacts = { dockerGroup: "", memoryFree: 0 };
  /** settles with the reason when the guard is no longer there, and nobody has said bye */
  readonly lost: Promise<GuardLost>;
  readonly #channel: ClientChannel;
  readonly #options: GuardOptions;
  readonly #messages: Messages;
  readonly #found: Promise<Found>;
  #settleFound!: { resolve(found: Found): void; reject(error: Error): void };
  #settleLost!: (error: GuardLost) => void;
  /** settles when another guard is found to hold the lock */
  readonly #held: Promise<void>;
  #settleHeld!: () => void;
  #stderr = "";
  /** READY was said */
  #settled = false;
  #stuck: string | undefined;
  #gone: GuardLost | undefined;
  #bye: Promise<void> | undefined;
  #beats: NodeJS.Timeout | undefined;

  private constructor(channel: ClientChannel, options: GuardOptions) {
    this.#channel = channel;
    this.#options = options;
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
    const { now, onEvent } = options;
    const onWord = (word: string, rest: readonly string[]) => this.#hears(word, rest);
    this.#messages = new Messages(channel, { now, onEvent, onWord, onRefusal: (error) => this.#refuse(error) });
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
    const limits = [
      {
        time: timeout + READY_TIMEOUT,
        why: `the guard on the host did not take the lock within ${(timeout + READY_TIMEOUT) / 1000} s. Does its Docker answer (docker ps)? Run this deploy again.`,
      },
      {
        since: this.#held,
        time: timeout,
        why: `another deploy of "${this.#options.app}" held the lock for all of ${timeout / 1000} s. Nothing was changed. Wait for it to end and run this one again.`,
      },
    ];
    const locked = Promise.race([this.#ask("LOCK", turn), this.refused]);
    return within(locked, limits, signal, () => this.close()).then(() => {});
  }

  /** Once it has the lock: what it found, and what it did with what a dead deploy had left. */
  ready(signal: AbortSignal): Promise<Found> {
    const why = `the guard on the host was not ready within ${READY_TIMEOUT / 1000} s. Does its Docker answer (docker ps)? Run this deploy again.`;
    return within(this.#found, [{ time: READY_TIMEOUT, why }], signal, () => this.close());
  }

  /** Never resolves: rejects when the host can't have a guard. */
  get refused(): Promise<never> {
    return this.#found.then(() => new Promise<never>(() => {}));
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
    if (this.#options.now() - this.#messages.provenAt <= half) return;
    await Promise.race([this.#beat(), silence(half)]);
    if (this.#options.now() - this.#messages.provenAt > half) {
      this.#end(`no answer for ${(half / 1000).toFixed(1)} s, half the lease`);
      throw this.#gone ?? new GuardLost("silent");
    }
  }

  /** Tells the guard that the runner lives, and notices in a long wait that the guard doesn't: it would answer, unless it is at work. */
  #tick(): void {
    const { atWork } = this.#messages;
    const { lease, now } = this.#options;
    if (this.#settled && !atWork && now() - this.#messages.provenAt > lease)
      this.#end(`no answer for ${lease / 1000} s, the lease`);
    else this.#beat().catch(() => {});
  }

  #beat(): Promise<string> {
    return this.#ask("BEAT");
  }

  #ask(kind: string, ...words: readonly string[]): Promise<string> {
    return this.#gone ? Promise.reject(this.#gone) : this.#messages.ask(kind, ...words);
  }

  #hears(word: string, rest: readonly string[]): void {
    const [first = "", second = "nothing"] = rest;
    switch (word) {
      case "FACTS":
        this.facts = { dockerGroup: first, memoryFree: Number(second) * 1024 };
        break;
      case "HELD":
        this.#settleHeld();
        this.#options.onHeld(rest.join(" "));
        break;
      case "REFUSED":
        this.#refuse(refusal(this.#options.app, this.facts, first, rest.slice(1).join(" ")));
        break;
      case "LOST":
        this.#end(`it took the host back: ${rest.join(" ")}`);
        break;
      case "STUCK":
        this.#stuck = first;
        break;
      case "READY":
        this.#settled = true;
        this.#settleFound.resolve({ current: first, recovered: second as Found["recovered"], stuck: this.#stuck });
    }
  }

  /** Said before its channel closes: whoever waits hears this, and not that it is gone. */
  #refuse(error: Error): void {
    this.#settleFound.reject(error);
    this.#messages.end(error);
  }

  #end(why: string): void {
    if (this.#gone) return;
    clearInterval(this.#beats);
    this.#gone = new GuardLost(`the guard on ${this.#options.app} is gone: ${why}`);
    this.#settleFound.reject(this.#gone);
    this.#messages.end(this.#gone);
    if (!this.#bye) this.#settleLost(this.#gone);
  }
}

const silence = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
