import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { guardProgram } from "../../../../scripts/guard-program";
import type { HostFolder } from "./host-folder";
import { until } from "./until";

export const program = guardProgram();

export interface GuardStart {
  readonly app?: string;
  readonly transaction?: string;
  /** seconds */
  readonly lease?: number;
  readonly holder?: string;
  readonly mode?: "deploy" | "look";
  /** what it asks the lock for; `never` = a test that sends LOCK itself */
  readonly turn?: "first" | "again" | "settle" | "never";
  /** what is sent in place of guard.sh */
  readonly program?: string;
  /** what its sshd is called */
  readonly parent?: string;
  readonly env?: Readonly<Record<string, string>>;
}

let ports = 0;

/** guard.sh as sshd would run it: in a session of its own, by a parent called sshd, with SSH_CONNECTION. */
export class GuardProcess {
  readonly lines: string[] = [];
  /** what sshd gave every channel of this connection; no other process on this machine has the same */
  readonly connection = `192.0.2.1 ${process.pid}${++ports} 192.0.2.2 22`;
  readonly sshd: ChildProcessWithoutNullStreams;
  readonly #pidFile: string;
  #number = 0;
  #rest = "";
  #sshdEnded = false;

  constructor(host: HostFolder, start: GuardStart) {
    this.#pidFile = host.path(`guard.pid.${ports}`);
    const run = `setsid bash --norc -c 'echo $$ >"${host.path("guard.pid")}"; echo $$ >"${this.#pidFile}"; exec bash --norc --noprofile -s -- "$@"' - "$@"; :`;
    const { app = "shop", transaction = "t2", lease = 30, holder = "run 2", mode = "deploy" } = start;
    const words = [app, transaction, String(lease), holder, mode];
    this.sshd = spawn(host.path("bin", start.parent ?? "sshd"), ["--norc", "-c", run, "-", ...words], {
      cwd: host.folder,
      env: {
        PATH: `${host.path("bin")}:${process.env.PATH}`,
        HELLO_DEVOPS_STATE: host.path("state"),
        SSH_CONNECTION: this.connection,
        ...start.env,
      },
    });
    this.sshd.stdout.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.sshd.stderr.setEncoding("utf8").on("data", (text: string) => this.lines.push(`stderr ${text.trim()}`));
    this.sshd.stdin.on("error", () => {}); // EPIPE: it has ended
    this.sshd.once("exit", () => {
      this.#sshdEnded = true;
    });
    this.sshd.stdin.write(start.program ?? program);
    const { turn = "settle" } = start;
    if (turn !== "never") this.send(`LOCK 0 ${turn}`);
  }

  get pid(): number {
    return existsSync(this.#pidFile) ? Number(readFileSync(this.#pidFile, "utf8")) : 0;
  }

  get sshdEnded(): boolean {
    return this.#sshdEnded;
  }

  get ended(): boolean {
    return this.pid !== 0 && !alive(this.pid);
  }

  send(line: string): void {
    this.sshd.stdin.write(`${line}\n`);
  }

  /** Sends one message with the next number; the answer is its line without the number. */
  async ask(kind: string, ...words: readonly string[]): Promise<string> {
    const number = ++this.#number;
    this.send([kind, number, ...words].join(" "));
    const answer = new RegExp(`^(OK|FAIL|COMMITTED|RETIRED|ABORTED|STUCK) ${number}( |$)`);
    const line = await this.says(answer);
    return line.replace(` ${number}`, "").trim();
  }

  /** `ask`, and what a FAIL says. */
  async refused(kind: string, ...words: readonly string[]): Promise<string> {
    const [verdict = "", text = ""] = (await this.ask(kind, ...words)).split(" ");
    return `${verdict} ${Buffer.from(text, "base64").toString("utf8")}`;
  }

  async says(line: RegExp): Promise<string> {
    const found = () => this.lines.find((said) => line.test(said));
    await until(
      () => found() !== undefined || this.ended,
      `${line} from the guard, which said\n${this.lines.join("\n")}`,
    );
    await until(
      () => found() !== undefined,
      `${line} from a guard that ended and had said\n${this.lines.join("\n")}`,
      500,
    );
    return found() ?? "";
  }

  /** Waits for READY; the rest of that line. */
  async ready(): Promise<string> {
    return (await this.says(/^(READY|REFUSED) /)).replace("READY ", "");
  }

  async end(): Promise<void> {
    await until(() => this.ended, `the guard's end; it said\n${this.lines.join("\n")}`);
    if (!this.sshd.stdout.destroyed && !this.sshd.stdout.readableEnded)
      await until(() => this.sshd.stdout.readableEnded || this.sshd.stdout.destroyed, "the end of its output");
  }

  async hangUp(): Promise<void> {
    this.sshd.stdin.end();
    await this.end();
  }

  /** SIGKILL: what the out-of-memory killer does. */
  async kill(): Promise<void> {
    try {
      if (this.pid !== 0) process.kill(this.pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has ended by itself
    }
    await until(() => this.pid === 0 || !alive(this.pid), "the killed guard's end");
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split("\n");
    this.#rest = lines.pop() ?? "";
    this.lines.push(...lines);
  }
}

export function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
