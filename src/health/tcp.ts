import type { Socket } from "node:net";
import type { Attempt } from "./attempt";
import { excerpt } from "./expectation";
import { NoAnswer } from "./no-answer";
import { matches } from "./pattern";
import { connect, type Way } from "./reach";
import type { Target, VerifyRequest } from "./request";
import type { Look, Surroundings } from "./sight";

const MOST_CHARACTERS = 64 * 1024;

/** Connects, and with a pattern reads until it matches. */
export function lookByTcp(
  { url }: Target,
  { question, expected }: VerifyRequest,
  way: Way,
  around: Surroundings,
): Look {
  return async (attempt) => {
    const began = around.now();
    const { stream } = await connect(url, way, attempt);
    if (question.body !== "") stream.write(question.body);
    const body = expected.body ? await firstMatch(stream, expected.body, attempt) : "";
    const seen = `${expected.body ? "the right answer" : "connected"} in ${Math.round(around.now() - began)} ms`;
    return { standing: "right", kind: "connected", seen, body, version: undefined, certificateExpires: undefined };
  };
}

function firstMatch(socket: Socket, pattern: RegExp, attempt: Attempt): Promise<string> {
  attempt.waitingFor = "answer";
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (why: string) => {
      socket.off("data", onText);
      reject(new NoAnswer(`${why}: ${excerpt(text)}`, "connected wrong body"));
    };
    const onText = (chunk: string) => {
      text = `${text}${chunk}`.slice(0, MOST_CHARACTERS);
      Object.assign(attempt.found, { kind: "connected wrong body", body: text });
      attempt.waitingFor = `answer that matches ${pattern} (so far: ${excerpt(text)})`;
      const found = matches(pattern, text);
      if (found) socket.off("data", onText);
      if (found) resolve(text);
      else if (found === undefined) fail(`${pattern} did not end on the answer`);
      else if (text.length >= MOST_CHARACTERS) fail(`the first 64 KiB of the answer do not match ${pattern}`);
    };
    socket.setEncoding("utf8");
    socket.on("data", onText);
    socket.once("error", reject);
    socket.once("close", () =>
      text === ""
        ? reject(new NoAnswer("the connection was closed without an answer", "closed"))
        : fail(`the connection was closed, and the answer does not match ${pattern}`),
    );
  });
}
