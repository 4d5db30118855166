import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Attempt } from "./attempt";
import { NoAnswer } from "./no-answer";

/** One HTTP request for a check. */
export interface HttpRequest {
  /** GET when it is left out */
  readonly method?: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** '' or left out = none */
  readonly body?: string;
  /** characters of the answer's body that are read; the rest is not waited for */
  readonly bodyLimit?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** at most `bodyLimit` characters */
  readonly body: string;
  readonly milliseconds: number;
}

/** Opens a stream to the server that is checked. */
export type Dial = () => Promise<Duplex>;

const BODY_LIMIT = 64 * 1024;

/** Sends it over a stream of its own and reads the answer; a longer body is cut off. @throws on no answer in time. */
export async function ask(dial: Dial, what: HttpRequest, attempt: Attempt, now: () => number): Promise<HttpAnswer> {
  const startedAt = now();
  const stream = attempt.closes(await dial());
  attempt.waitingFor = "answer";
  const length = what.body ? { "content-length": String(Buffer.byteLength(what.body)) } : {}; // Node sends none with GET
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        method: what.method ?? "GET",
        path: what.path,
        headers: { host: what.host, "user-agent": "hello-devops", connection: "close", ...length, ...what.headers },
        createConnection: () =>
          Object.assign(stream, { setNoDelay: () => stream, setKeepAlive: () => stream, setTimeout: () => stream }),
      });
      request.on("error", reject);
      request.on("response", resolve);
      stream.once("close", () => reject(new NoAnswer("the connection was closed without an answer", "closed")));
      request.end(what.body);
    });
    attempt.waitingFor = `end of the answer (status ${response.statusCode})`;
    const body = await read(response, what.bodyLimit ?? BODY_LIMIT);
    return { status: response.statusCode ?? 0, headers: response.headers, body, milliseconds: now() - startedAt };
  } finally {
    stream.destroy();
  }
}

function read(response: IncomingMessage, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body = `${body}${chunk}`.slice(0, limit);
      if (body.length >= limit) resolve(body);
    });
    response.on("end", () => resolve(body));
    response.on("error", reject);
  });
}
