import type { HttpAnswer } from "./http";
import { NoAnswer, noAnswer } from "./no-answer";
import type { Question } from "./request";
import { shownUrl } from "./shown-url";

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly question: Question;
}

const MOST_REDIRECTS = 20; // the fetch standard's

/** Where the answer sends the client. undefined = nowhere: it is no redirect, or names no place */
export function locationOf({ status, headers }: HttpAnswer, from: URL): URL | undefined {
  const { location } = headers;
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== "string") return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

/** Asks, and follows redirects if the question says so. `visit` makes one request. */
export async function follow(first: Hop, visit: (hop: Hop) => Promise<HttpAnswer>): Promise<HttpAnswer> {
  const chain = [first];
  for (let hop = first; ; ) {
    const answer = await visit(hop).catch((error) => {
      throw hop === first ? error : elsewhere(hop, error);
    });
    const next = first.question.followRedirects ? nextHop(hop, answer) : undefined;
    if (!next) return answer;
    chain.push(next);
    if (chain.length > MOST_REDIRECTS + 1)
      throw new NoAnswer(`more than ${MOST_REDIRECTS} redirects: ${shownChain(chain)}`, "redirects");
    if (chain.slice(0, -1).some((earlier) => isSame(earlier, next)))
      throw new NoAnswer(`the redirects go round in a circle: ${shownChain(chain)}`, "redirects");
    hop = next;
  }
}

/** A person looks at the URL that they wrote: so a failure behind a redirect says where it was. */
function elsewhere({ url }: Hop, error: unknown): NoAnswer {
  const { message, kind, blind } = noAnswer(error);
  return new NoAnswer(`${shownUrl(url)}, where it redirects to: ${message}`, kind, { blind, cause: error });
}

/** Without a cookie jar, the same question at the same place gets the same answer. */
const isSame = (a: Hop, b: Hop): boolean => a.url.href === b.url.href && a.question.method === b.question.method;

function shownChain(chain: readonly Hop[]): string {
  const urls = chain.map(({ url }) => shownUrl(url));
  return (urls.length > 6 ? [...urls.slice(0, 3), "…", ...urls.slice(-2)] : urls).join(" -> ");
}

/** The fetch standard's rules, but a body never goes to another origin: it may be a password. */
function nextHop({ url, question }: Hop, answer: HttpAnswer): Hop | undefined {
  const to = locationOf(answer, url);
  if (!to) return undefined;
  if (to.protocol !== "http:" && to.protocol !== "https:")
    throw new NoAnswer(`status ${answer.status} redirects to ${shownUrl(to)}, which is not HTTP`, "redirects");
  to.hash = "";
  [to.username, to.password] = ["", ""];
  const asked = withMethod(question, answer.status);
  if (to.origin === url.origin) return { url: to, question: asked };
  if (asked.body !== "")
    throw new NoAnswer(
      `status ${answer.status} would send the body to ${shownUrl(to)}; if it may go there, write that URL`,
      "redirects",
    );
  return { url: to, question: { ...asked, headers: {}, authorization: undefined } };
}

function withMethod(question: Question, status: number): Question {
  const { method } = question;
  const becomesGet = status === 303 ? method !== "HEAD" && method !== "GET" : status < 303 && method === "POST";
  return becomesGet ? { ...question, method: "GET", body: "" } : question;
}
