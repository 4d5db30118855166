import { execFile } from "node:child_process";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import type { Commits } from "../../../src/github/commits";
import { root } from "./deploy-inputs";

const [previous, next] = ["a".repeat(40), "b".repeat(40)];
const run = promisify(execFile);

let server: Server | undefined;
afterEach(() => void server?.close());

test("lists the commits between two releases, the newest first", async () => {
  const commits = [
    { sha: "1".repeat(40), commit: { message: "Add a page\n\nIt is blue." } },
    { sha: next, commit: { message: "Fix \u001b[31m::it" } },
  ];
  const { asked, found } = await compared((answer) => json(answer, 200, { ahead_by: 2, behind_by: 0, commits }));
  expect(asked).toEqual([`GET /repos/acme/shop/compare/${previous}...${next} token t0ken`]);
  expect(found).toEqual({
    ahead: 2,
    behind: 0,
    url: `https://github.com/acme/shop/compare/${previous}...${next}`,
    newest: [
      { sha: next, subject: "Fix ::it", url: `https://github.com/acme/shop/commit/${next}` },
      { sha: "1".repeat(40), subject: "Add a page", url: `https://github.com/acme/shop/commit/${"1".repeat(40)}` },
    ],
  });
});

test("keeps the newest twenty of many commits", async () => {
  const commits = Array.from({ length: 100 }, (_, index) => ({ sha: `${index}`, commit: { message: `m${index}` } }));
  const { found } = await compared((answer) => json(answer, 200, { ahead_by: 100, behind_by: 0, commits }));
  expect(found?.newest.map(({ subject }) => subject)).toEqual(
    Array.from({ length: 20 }, (_, index) => `m${99 - index}`),
  );
});

const failures: readonly [what: string, answer: (answer: ServerResponse) => void][] = [
  ["a token that may not read", (answer) => json(answer, 403, { message: "Resource not accessible" })],
  ["a commit that is gone", (answer) => json(answer, 404, { message: "Not Found" })],
  ["an answer of another shape", (answer) => json(answer, 200, [])],
  ["a cut connection", (answer) => answer.destroy()],
];
test.each(failures)("%s is a debug line and no failure", async (_what, answer) => {
  const { found, lines } = await compared(answer);
  expect(found).toBeUndefined();
  expect(lines).toEqual([expect.stringMatching(/^The commits between the releases can't be listed: \w*Error/)]);
});

const notAsked: readonly [what: string, releases: { previous?: string; next: string }][] = [
  ["there is no release before", { next }],
  ["the release before has another name", { previous: "v1.2.3", next }],
  ["the release has a short name", { previous, next: "bbbbbbb" }],
  ["both are the same commit", { previous: next, next }],
];
test.each(notAsked)("asks nobody when %s", async (_what, releases) => {
  const { asked, found } = await compared((answer) => answer.destroy(), releases);
  expect([asked, found]).toEqual([[], undefined]);
});

function json(answer: ServerResponse, status: number, body: unknown): void {
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function compared(
  respond: (answer: ServerResponse) => void,
  releases: { previous?: string; next: string } = { previous, next },
): Promise<{ asked: string[]; found: Commits | undefined; lines: string[] }> {
  const asked: string[] = [];
  server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    respond(answer);
  });
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // octokit is an ES module, which Jest does not load: so a process of its own
  const script = join(__dirname, "compare-commits.mts");
  const args = ["--import", "tsx", script, api, JSON.stringify(releases)];
  const { stdout } = await run(process.execPath, args, { cwd: root });
  return { asked, ...JSON.parse(stdout) };
}
