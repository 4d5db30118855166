import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";

/** One HTTP request for a check. */
export interface HttpRequest {
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  /** milliseconds for the whole of it, connection included */
  readonly timeout: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** at most BODY_LIMIT characters */
  readonly body: string;
  readonly milliseconds: number;
}

/** Opens a stream to the server that is checked. */
export type Dial = () => Promise<Duplex>;

const BODY_LIMIT = 64 * 1024;

/** Sends it over a stream of its own and reads the answer; a longer body is cut off. @throws on no answer in time. */
export async function ask(dial: Dial, what: HttpRequest, now: () => number): Promise<HttpAnswer> {
  const startedAt = now();
  const expired = AbortSignal.timeout(what.timeout);
  const stream = await before(dial(), expired);
  try {
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const request = httpRequest({
        path: what.path,
        headers: { host: what.host, "user-agent": "hello-devops", connection: "close", ...what.headers },
        createConnection: () =>
          Object.assign(stream, { setNoDelay: () => stream, setKeepAlive: () => stream, setTimeout: () => stream }),
        signal: expired,
      });
      request.on("error", reject);
      request.on("response", (response) => {
        let body = "";
        const done = () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            milliseconds: now() - startedAt,
          });
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body = `${body}${chunk}`.slice(0, BODY_LIMIT);
          if (body.length >= BODY_LIMIT) done();
        });
        response.on("end", done);
        response.on("error", reject);
      });
      stream.once("close", () => reject(new Error("the connection was closed without an answer")));
      request.end();
    });
  } catch (cause) {
    if (expired.aborted) throw new Error(`no answer within ${what.timeout / 1000} s`, { cause });
    throw cause;
  } finally {
    stream.destroy();
  }
}

function before(dialing: Promise<Duplex>, expired: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const onExpired = () => reject(new Error("no connection in time"));
    expired.addEventListener("abort", onExpired, { once: true });
    dialing.then((stream) => (expired.aborted ? stream.destroy() : resolve(stream)), reject);
  });
}
