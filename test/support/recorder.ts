/**
 * An app that a test writes itself, run by the input `command` in any of the bed's images that has Node. It remembers
 * every request, so that a test sees checks as the app does. Its text is one word in single quotes, so it holds none.
 *
 *     /seen                      every request so far: at (ms), url, headers
 *     /status?code=207&body=x    that answer; others are 200
 *     /slow?ms=500               answers late
 *     /forged?header=x-release   an answer that sets this header to "forged"
 *     /file?path=, /append?path=&line=, /env, /argv
 *
 * Environment: LISTEN_AFTER (ms), START_FILE (gets the line "app" at its start).
 */
const program = String.raw`
const { appendFileSync, readFileSync } = require("node:fs");
const seen = [];
const { LISTEN_AFTER, START_FILE } = process.env;
if (START_FILE) appendFileSync(START_FILE, "app\n");
const answers = {
  "/seen": () => [200, JSON.stringify(seen)],
  "/status": (query) => [Number(query.get("code")), query.get("body") || ""],
  "/file": (query) => [200, readFileSync(query.get("path"), "utf8")],
  "/append": (query) => [200, String(appendFileSync(query.get("path"), query.get("line") + "\n"))],
  "/env": () => [200, JSON.stringify(process.env)],
  "/argv": () => [200, JSON.stringify(process.argv)],
};
const server = require("node:http").createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://app");
  seen.push({ at: Date.now(), url: request.url, headers: request.headers });
  if (pathname === "/forged") response.setHeader(searchParams.get("header"), "forged");
  const send = () => {
    let answer = [200, "ok"];
    try {
      if (answers[pathname]) answer = answers[pathname](searchParams);
    } catch (error) {
      answer = [500, String(error)];
    }
    response.writeHead(answer[0]).end(answer[1]);
  };
  if (pathname === "/slow") setTimeout(send, Number(searchParams.get("ms")));
  else send();
});
process.on("SIGTERM", () => process.exit(0));
setTimeout(() => server.listen(5000), Number(LISTEN_AFTER || 0));
`;

/** The value of the input `command`. What comes after is in the app's own arguments. */
export const recorder = `node -e '${program}'`;

export interface Request {
  /** milliseconds since 1970, by the app's clock */
  readonly at: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const seenBy = async (url: string): Promise<Request[]> =>
  (await (await fetch(`${url}/seen`)).json()) as Request[];
