import { get, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

/** One WebSocket client; each message is awaited. */
export class Echo {
  readonly #socket: WebSocket;
  /** when it was closed, by `performance.now()` */
  readonly closed: Promise<number>;
  /** when the last answer came */
  answeredAt = 0;
  /** whose it is, by the header of the handshake's answer */
  release = "";
  /** how it was closed (RFC 6455, 7.4); 0 = it is open, 1006 = without a word */
  closeCode = 0;

  private constructor(socket: WebSocket, limit: number) {
    this.#socket = socket;
    const late = setTimeout(() => socket.terminate(), limit);
    socket.on("error", () => {});
    socket.once("upgrade", ({ headers }) => {
      this.release = String(headers["x-release"] ?? "?");
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", (code) => {
        clearTimeout(late);
        this.closeCode = code;
        resolve(performance.now());
      });
    });
  }

  /** @param limit milliseconds; it is closed by itself then */
  static open(url: string, limit = 60_000): Promise<Echo> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws`);
      const echo = new Echo(socket, limit);
      socket.once("open", () => resolve(echo)).once("error", reject);
    });
  }

  say(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#socket.once("message", (data) => {
        this.answeredAt = performance.now();
        resolve(String(data));
      });
      this.closed.then(() => reject(new Error(`closed before it answered "${text}"`)));
      this.#socket.send(text);
    });
  }

  /** Says a word a pause until the socket is closed; how many were said back. A wrong answer is an error. */
  async talk(pause: number): Promise<number> {
    for (let count = 0; ; count++) {
      const word = `word ${count}`;
      const answer = await this.say(word).catch(() => undefined);
      if (answer === undefined) return count;
      if (answer !== word) throw new Error(`said "${word}", and heard "${answer}"`);
      await sleep(pause); // the pace of the talk, not a wait for a state
    }
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** When each of the first events arrived, in milliseconds since the request. */
export function eventTimes(url: string, count: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const times: number[] = [];
    const asked = get(url, { agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (text: string) => {
        for (const _ of text.matchAll(/^data:/gm)) times.push(performance.now() - began);
        if (times.length < count) return;
        asked.destroy();
        resolve(times.slice(0, count));
      });
      response.on("close", () => reject(new Error(`closed after ${times.length} events`)));
    });
    asked.on("error", reject);
  });
}

/** Uploads a chunk a pause; the answer's text. */
export function slowUpload(url: string, chunks: number, pause: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = request(url, { method: "POST", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      response.on("end", () => resolve(text));
    });
    upload.on("error", reject);
    let left = chunks;
    const timer = setInterval(() => {
      upload.write(Buffer.alloc(1000));
      left -= 1;
      if (left > 0) return;
      clearInterval(timer);
      upload.end();
    }, pause);
  });
}

export interface Timed {
  /** undefined = the connection ended without an answer */
  readonly status: number | undefined;
  /** seconds */
  readonly took: number;
  /** `performance.now()` */
  readonly endedAt: number;
}

export async function timed(url: string): Promise<Timed> {
  const began = performance.now();
  const status = await fetch(url)
    .then(async (answer) => {
      await answer.text();
      return answer.status;
    })
    .catch(() => undefined);
  const endedAt = performance.now();
  return { status, took: (endedAt - began) / 1000, endedAt };
}
