import { createHash } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, get, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** What became of one answer. Times are those of `performance.now()`. */
export interface Answer {
  /** undefined = there was none */
  readonly status: number | undefined;
  /** by its header */
  readonly release: string;
  readonly body: Buffer;
  /** the answer's own end was seen; else the connection ended first */
  readonly whole: boolean;
  readonly from: number;
  readonly at: number;
}

const closeOf = (asked: ClientRequest): Promise<void> => new Promise((resolve) => asked.once("close", resolve));

/** One request on a connection of its own, whose answer takes its time. */
export class Stream {
  /** its first bytes are here: a reader has them */
  readonly begun: Promise<number>;
  readonly ended: Promise<Answer>;
  readonly close: () => void;

  /** @param limit milliseconds; it is given up then */
  constructor(url: string, limit = 60_000) {
    const from = performance.now();
    const asked = get(url, { agent: false });
    this.close = () => asked.destroy();
    const late = setTimeout(this.close, limit);
    const parts: Buffer[] = [];
    const answer = { status: undefined as number | undefined, release: "", whole: false };
    asked.on("error", () => {});
    const response = new Promise<void>((resolve, reject) => {
      asked.on("close", () => reject(new Error(`${url} ended before it began`)));
      asked.on("response", (response) => {
        answer.status = response.statusCode;
        answer.release = String(response.headers["x-release"] ?? "?");
        response.on("error", () => {});
        response.on("data", (part: Buffer) => parts.push(part) === 1 && resolve());
        response.on("end", () => {
          answer.whole = response.complete;
        });
      });
    });
    this.begun = response.then(() => performance.now());
    this.begun.catch(() => {});
    this.ended = closeOf(asked).then(() => {
      clearTimeout(late);
      return { ...answer, from, body: Buffer.concat(parts), at: performance.now() };
    });
  }
}

export interface Event {
  readonly n: number;
  readonly version: string;
}

/** The whole events of a stream of `/sse`, in the order in which they came. */
export const eventsIn = ({ body }: Answer): Event[] =>
  [...body.toString().matchAll(/^data: (\{"n".*\})\n\n/gm)].map(([, data = ""]) => JSON.parse(data) as Event);

/** What `/chunks?count=` sends, byte for byte. */
export const chunksOf = (version: string, count: number): string => {
  const hash = createHash("sha256");
  for (let n = 1; n <= count; n++) hash.update(Buffer.alloc(65536, `${version}.${n} `));
  return hash.digest("hex");
};

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

export interface Uploaded {
  readonly status: number | undefined;
  readonly release: string;
  /** what the app counted; undefined = no whole answer */
  readonly answer: { bytes: number; sha256: string; version: string } | undefined;
  /** what was sent */
  readonly bytes: number;
  readonly sha256: string;
  /** all of it was sent */
  readonly whole: boolean;
  readonly at: number;
}

const MEBIBYTE = 1024 * 1024;

interface Upload {
  readonly mebibytes: number;
  /** milliseconds, in which they are sent evenly */
  readonly over: number;
  /** the last of them waits for this */
  readonly last?: Promise<unknown>;
}

/** Sends to `/upload` at its pace; the connection's own end ends it, too. */
export async function pacedUpload(url: string, { mebibytes, over, last }: Upload): Promise<Uploaded> {
  const upload = request(`${url}/upload?sha256`, { method: "POST", agent: false, timeout: 20_000 });
  const closed = closeOf(upload);
  const answered = { status: undefined as number | undefined, release: "", text: "" };
  upload.on("error", () => {});
  upload.on("timeout", () => upload.destroy());
  upload.on("response", (response) => {
    answered.status = response.statusCode;
    answered.release = String(response.headers["x-release"] ?? "?");
    response.on("error", () => {});
    response.setEncoding("utf8").on("data", (more: string) => {
      answered.text += more;
    });
  });
  const hash = createHash("sha256");
  const from = performance.now();
  let sent = 0;
  while (!upload.closed && sent < mebibytes) {
    if (sent === mebibytes - 1) await Promise.race([last, closed]);
    const chunk = Buffer.alloc(MEBIBYTE, `${sent} `);
    hash.update(chunk);
    if (!upload.write(chunk)) await Promise.race([once(upload, "drain").catch(() => {}), closed]);
    sent += 1;
    await sleep(Math.max(0, from + (sent * over) / mebibytes - performance.now())); // the pace
  }
  const whole = !upload.closed;
  upload.end();
  await closed;
  const { status, release, text } = answered;
  const answer = status === 200 ? JSON.parse(text) : undefined;
  return { status, release, answer, bytes: sent * MEBIBYTE, sha256: hash.digest("hex"), whole, at: performance.now() };
}

/** Clients that each ask for `/slow` again and again, until they are told to stop; the last answers are awaited. */
export class SlowClients {
  readonly #answers: Promise<Answer[]>;
  #going = true;

  constructor(url: string, clients: number, ms: number, limit = 60_000) {
    const end = performance.now() + limit;
    const client = async (): Promise<Answer[]> => {
      const answers: Answer[] = [];
      while (this.#going && performance.now() < end)
        answers.push(await new Stream(`${url}/slow?ms=${ms}`, ms + 20_000).ended);
      return answers;
    };
    const late = (n: number) => sleep((n * ms) / clients).then(client); // one always begins as another ends
    this.#answers = Promise.all(Array.from({ length: clients }, (_, n) => late(n))).then((all) => all.flat());
  }

  stop(): Promise<Answer[]> {
    this.#going = false;
    return this.#answers;
  }
}
