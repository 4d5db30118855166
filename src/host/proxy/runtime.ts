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

/** What the proxy has counted for one slot, all its life ("show stat" of the management guide). Who reads it knows what the numbers mean. */
export interface SlotCounters {
  /** `req_tot` */
  readonly requests: number;
  /** `hrsp_5xx` */
  readonly errors: number;
  /** `rtime`, milliseconds */
  readonly meanTime: number;
  /** `status`: in maintenance, as after a start of the proxy that knows nothing of the slot */
  readonly maint: boolean;
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

  /** Both slots' counters, in one answer: of one moment. @throws when the proxy doesn't answer */
  async counters(): Promise<Readonly<Record<Slot, SlotCounters>>> {
    return slotCounters(await this.ask("show stat app 4 -1"));
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

/**
 * Reads the CSV of "show stat". Columns are found by the header's names: later versions of HAProxy have more of them.
 *
 * @throws when a slot or a column is not there
 */
export function slotCounters(csv: string): Readonly<Record<Slot, SlotCounters>> {
  const [head = "", ...rows] = csv.split("\n");
  const columns = head.replace(/^# /, "").split(",");
  const of = (slot: Slot): SlotCounters => {
    const row = rows.map(fields).find(([backend, server]) => backend === "app" && server === slot);
    const at = (column: string): string => {
      const text = row?.[columns.indexOf(column)];
      if (!text) throw new Error(`the proxy's statistics do not say ${column} of ${slot}`);
      return text;
    };
    const [requests, errors, meanTime] = [at("req_tot"), at("hrsp_5xx"), at("rtime")].map(Number) as [
      number,
      number,
      number,
    ];
    return { requests, errors, meanTime, maint: at("status").startsWith("MAINT") };
  };
  return { blue: of("blue"), green: of("green") };
}

/** At the commas outside of quotes: what a check saw may hold some. */
const fields = (row: string): string[] => row.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/);
