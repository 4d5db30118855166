import type { Connection } from "../connection";
import type { Slot } from "./config";

/** What the proxy knows of one slot ("show servers state" of HAProxy's management guide). */
export interface SlotState {
  readonly slot: Slot;
  /** '' = not resolved */
  readonly address: string;
  readonly up: boolean;
  readonly admin: "ready" | "drain" | "maint";
  readonly container: string;
  readonly port: number;
}

const MAINT = 1;
const DRAIN = 8;
const ANSWER_TIMEOUT = 5_000;

/** Asks the proxy over its socket, which has the level `user`: it reads, and nothing that changes traffic is sent this way. */
export class ProxyRuntime {
  constructor(
    private readonly connection: Connection,
    private readonly socket: string,
  ) {}

  /** Both slots. @throws when the proxy doesn't answer. */
  async slots(): Promise<readonly SlotState[]> {
    const answer = await this.ask("show servers state app");
    return answer
      .split("\n")
      .filter((line) => /^\d+ app /.test(line))
      .map(slotState);
  }

  async ask(command: string): Promise<string> {
    const stream = await this.connection.dialSocket(this.socket);
    return new Promise((resolve, reject) => {
      let answer = "";
      const timer = setTimeout(() => {
        stream.destroy();
        reject(new Error(`the proxy did not answer "${command}" within ${ANSWER_TIMEOUT / 1000} s`));
      }, ANSWER_TIMEOUT);
      stream.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1");
      });
      const done = () => {
        clearTimeout(timer);
        resolve(answer);
      };
      stream.on("end", () => {
        stream.end(); // HAProxy closes after one command; ssh2 waits for our end too
        done(); // `close` comes a round trip later
      });
      stream.on("error", reject);
      stream.on("close", done);
      stream.write(`${command}\n`);
    });
  }
}

function slotState(line: string): SlotState {
  const word = line.split(" ");
  const admin = Number(word[6]);
  const address = word[4] ?? "";
  return {
    slot: word[3] as Slot,
    address: address === "-" || address === "0.0.0.0" ? "" : address,
    up: word[5] === "2",
    admin: admin & MAINT ? "maint" : admin & DRAIN ? "drain" : "ready",
    container: word[17] ?? "",
    port: Number(word[18]),
  };
}
