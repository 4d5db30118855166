import { createServer, type Server } from "node:http";

/** GitHub's API, as far as a deploy asks it: the comparison of two commits. */
export class GithubApi {
  /** `path authorization`, for each request */
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor(subjects: readonly string[]) {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.url} ${request.headers.authorization}`);
      const commits = subjects.map((message, n) => ({ sha: String(n).repeat(40), commit: { message } }));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ahead_by: subjects.length, behind_by: 0, commits }));
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(`http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
