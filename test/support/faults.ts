import { type ChildProcess, spawn } from "node:child_process";
import type { BedHost } from "../bed/bed";
import { inBox } from "./outside";

/** A fault that waits in the box for the word: it strikes within a few milliseconds, where `docker exec` takes a hundred. */
export class Fault {
  readonly #child: ChildProcess;
  readonly #done: Promise<void>;
  readonly #primed: Promise<void>;

  constructor(host: BedHost, script: string, before: string) {
    const program = `${before}; echo primed; read -r word && [ "$word" = go ] || exit 0; ${script}`;
    this.#child = spawn("docker", ["exec", "-i", host.container, "bash", "-c", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#primed = new Promise((resolve) => this.#child.stdout?.once("data", () => resolve()));
    this.#done = new Promise((resolve, reject) => {
      this.#child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`the fault ended with ${code}`))));
    });
    this.#done.catch(() => {});
  }

  /** `before` is done at once: what the script needs to know when it strikes. */
  static async primed(host: BedHost, script: string, before = ":"): Promise<Fault> {
    const fault = new Fault(host, script, before);
    await Promise.race([fault.#primed, fault.#done]); // done already: `before` has failed, and strike() says so
    return fault;
  }

  /** Resolves when it has struck. */
  strike(): Promise<void> {
    this.#child.stdin?.end("go\n");
    return this.#done;
  }

  /** It was not needed. */
  cancel(): void {
    this.#child.stdin?.end();
  }
}

const rules = ["INPUT --dport", "OUTPUT --sport"].map((words) => words.split(" "));
const rule = (verb: string) =>
  rules.map(([chain, side]) => `iptables -w ${verb} ${chain} -p tcp ${side} 22 -j DROP`).join(" && ");

/** Packets of every SSH connection vanish, in both directions and without a word; the app's own traffic goes on. */
export const cutWire = rule("-I");
export const heal = async (host: BedHost): Promise<void> => {
  await inBox(host, "bash", "-c", `while ${rule("-D")}; do :; done 2>/dev/null; true`);
};

/** The guard that holds the lock; its connection is left alone. */
export const killGuard = "pkill -KILL -f '[b]ash --norc --noprofile -s -- '";

/** The same, as soon as there is one: at most 5 s. */
export const killGuardAtBirth = `for ((i = 0; i < 500; i++)); do ${killGuard} && exit 0; sleep 0.01; done; exit 1`;

const proxyPid = (app: string) => `docker inspect -f '{{.State.Pid}}' ${app}-proxy`;
export const findProxy = (app = "web"): string => `was=$(${proxyPid(app)})`;
/** Its master process, by which its workers go too; over when Docker has started it again. */
export const killProxy = (app = "web"): string =>
  `kill -KILL "$was"; for ((i = 0; i < 300; i++)); do now=$(${proxyPid(app)}); [ "$now" = 0 ] || [ "$now" = "$was" ] || exit 0; sleep 0.05; done; exit 1`;
