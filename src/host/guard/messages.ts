import type { ClientChannel } from "ssh2";
import { UserError } from "../../user-error";
import { DeedFailed } from "./failures";

interface Waiting {
  readonly sentAt: number;
  readonly what: string;
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** What an answer to a message begins with; anything else the guard says by itself. */
const ANSWERS = ["OK", "FAIL", "COMMITTED", "RETIRED", "ABORTED", "STUCK"];

export interface Listener {
  /** monotonic milliseconds */
  readonly now: () => number;
  readonly onEvent: (line: string) => void;
  /** a line that answers nothing: its first word, and the others */
  readonly onWord: (word: string, rest: readonly string[]) => void;
  readonly onRefusal: (error: Error) => void;
}

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
 * Before READY it says GUARD, FACTS, HELD (each time the holder changes; without a word where it stays unknown) or REFUSED; LOST as it fences; UNMARKED where
 * a mark could not be written.
 */
export class Messages {
  /** when the message was sent to which the guard answered last */
  provenAt: number;
  readonly #channel: ClientChannel;
  readonly #listener: Listener;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #buffer = "";
  #first = true;

  constructor(channel: ClientChannel, listener: Listener) {
    this.#channel = channel;
    this.#listener = listener;
    this.provenAt = listener.now();
    channel.setEncoding("utf8");
    channel.on("data", (text: string) => this.#read(text));
  }

  /** Sends one message. @throws {DeedFailed} with what the host said */
  ask(kind: string, ...words: readonly string[]): Promise<string> {
    const number = ++this.#number;
    const sentAt = this.#listener.now();
    const what = [kind, ...words.map((word) => (word.length > 64 ? `(${word.length} characters)` : word))].join(" ");
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { sentAt, what, resolve, reject });
      this.#channel.write(`${[kind, number, ...words].join(" ")}\n`);
    });
  }

  /** It answers when it has done something, which may take long. */
  get atWork(): boolean {
    return [...this.#waiting.values()].some(({ what }) => what !== "BEAT");
  }

  /** Whoever waits hears this. */
  end(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #read(text: string): void {
    const lines = `${this.#buffer}${text}`.split("\n");
    this.#buffer = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (this.#first && line !== "GUARD 1") {
      this.#listener.onRefusal(
        new UserError(
          `The host wrote "${line.slice(0, 80)}" before the guard's first word: a start-up file of its shell (.bashrc, .profile) prints something. Let it print only in interactive shells.`,
        ),
      );
      this.#channel.end();
      return;
    }
    this.#first = false;
    const [word = "", ...rest] = line.split(" ");
    if (ANSWERS.includes(word)) {
      this.#answer(word, Number(rest[0]), rest.slice(1).join(" "));
      return;
    }
    this.#listener.onEvent(line);
    this.#listener.onWord(word, rest);
  }

  #answer(word: string, number: number, text: string): void {
    if (word === "STUCK" && number === 0) this.#listener.onWord(word, [text]);
    const waiting = this.#waiting.get(number);
    if (!waiting) return;
    this.#waiting.delete(number);
    this.provenAt = Math.max(this.provenAt, waiting.sentAt);
    const took = Math.round(this.#listener.now() - waiting.sentAt);
    if (waiting.what !== "BEAT") this.#listener.onEvent(`${waiting.what}: ${word} in ${took} ms`);
    if (word === "FAIL") waiting.reject(new DeedFailed(waiting.what, Buffer.from(text, "base64").toString("utf8")));
    else waiting.resolve(word === "OK" || word === "STUCK" ? text : word);
  }
}
