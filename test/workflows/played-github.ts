// GitHub's API, as far as our scripts ask it: the comments of issues, and deployments with their statuses.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Comment {
  readonly id: number;
  readonly user: { readonly login: string };
  readonly body: string;
}

export interface Deployment {
  readonly sha: string;
  readonly environment: string;
  /** newest first */
  readonly states: readonly string[];
}

const BOT = { login: "github-actions[bot]" };

export class PlayedGithub {
  comments: Comment[] = [];
  /** newest first */
  deployments: readonly Deployment[] = [];
  /** the next request is answered by it */
  refuses: number | undefined;
  /** `METHOD path`, of each request */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(readonly token: string) {
    this.#server = createServer(async (request, response) => {
      const [status, answer] = this.#answer(request, await bodyOf(request));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  }

  static async start(token: string): Promise<PlayedGithub> {
    const played = new PlayedGithub(token);
    await new Promise<void>((listening) => played.#server.listen(0, "127.0.0.1", listening));
    return played;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(
    { method = "", url = "", headers }: IncomingMessage,
    text: string,
  ): readonly [status: number, answer: unknown] {
    this.asked.push(`${method} ${url}`);
    const refused = this.refuses;
    this.refuses = undefined;
    if (refused) return [refused, { message: "Resource not accessible by integration" }];
    if (headers.authorization !== `Bearer ${this.token}`) return [401, { message: "Bad credentials" }];
    const { pathname, searchParams } = new URL(url, this.url);
    const path = pathname.replace("/repos/acme/shop/", "");
    const page = <T>(all: readonly T[]): readonly T[] => {
      const [size, number] = [Number(searchParams.get("per_page") ?? 30), Number(searchParams.get("page") ?? 1)];
      return all.slice((number - 1) * size, number * size);
    };
    if (method === "GET" && path === "issues/7/comments") return [200, page(this.comments)];
    if (method === "POST" && path === "issues/7/comments")
      return this.#write({ id: this.comments.length + 1, user: BOT, ...sent(text) });
    const comment = this.comments.find(({ id }) => path === `issues/comments/${id}`);
    if (method === "PATCH" && comment) return this.#write({ ...comment, ...sent(text) });
    if (method === "GET" && path === "deployments") {
      const numbered = this.deployments.map(({ sha, environment }, id) => ({ id, sha, environment }));
      return [200, page(numbered.filter(({ environment }) => environment === searchParams.get("environment")))];
    }
    const deployment = this.deployments.find((_, id) => path === `deployments/${id}/statuses`);
    if (method === "GET" && deployment) return [200, page(deployment.states.map((state) => ({ state })))];
    return [404, { message: "Not Found" }];
  }

  #write(comment: Comment): readonly [number, Comment] {
    if ([...comment.body].length > 65536) throw new Error("body is too long (maximum is 65536 characters)");
    this.comments = [...this.comments.filter(({ id }) => id !== comment.id), comment];
    return [201, comment];
  }
}

const sent = (text: string): { readonly body: string } => ({ body: (JSON.parse(text) as { body: string }).body });

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}
