import type { IncomingMessage } from "node:http";
import WebSocket from "ws";
import type { Attempt } from "./attempt";
import type { Answer, Mismatch } from "./expectation";
import { NoAnswer } from "./no-answer";
import type { Question } from "./request";
import { BODY_LIMIT } from "./sight";

/** What an answer lacks; undefined = it is as expected. */
type Judge = (answer: Answer) => Mismatch | undefined;

export interface Judges {
  readonly handshake: Judge;
  /** undefined = the handshake is all that is asked for */
  readonly message: Judge | undefined;
}

interface Heard {
  /** the handshake's headers, and the last message as its body */
  readonly answer: Answer;
  readonly differs: Mismatch | undefined;
}

type OpenStream = WebSocket.ClientOptions["createConnection"];

/** Shakes hands, sends the body if there is one, and reads messages until one is right or the server closes. */
export async function converse(
  url: URL,
  stream: OpenStream,
  question: Question,
  judges: Judges,
  attempt: Attempt,
): Promise<Heard> {
  attempt.waitingFor = "WebSocket handshake";
  const socket = open(url, stream, question);
  const destroy = () => socket.removeAllListeners("message").terminate(); // frames that are here already would still be told
  attempt.closes({ destroy, on: (_event, listener) => socket.on("error", listener) });
  const { headers } = await shaken(socket);
  const answer = { status: 101, headers, body: "" };
  const differs = judges.handshake(answer);
  if (differs) return { answer, differs };
  const heard = judges.message && firstRight(socket, answer, judges.message, attempt);
  socket.resume();
  if (question.body !== "") socket.send(question.body);
  return heard ?? { answer, differs };
}

function open(url: URL, createConnection: OpenStream, question: Question): WebSocket {
  const asked = new URL(url);
  asked.protocol = "ws:"; // the stream is encrypted already where it should be
  const given = Object.entries(question.headers);
  const isProtocol = ([name]: readonly [string, string]) => name.toLowerCase() === "sec-websocket-protocol";
  const protocols = given.filter(isProtocol).flatMap(([, value]) => value.split(",").map((name) => name.trim()));
  return new WebSocket(asked, protocols, {
    createConnection,
    perMessageDeflate: false,
    maxPayload: BODY_LIMIT,
    allowSynchronousEvents: false, // a thousand frames may come at once: the attempt's limit is heard between two
    followRedirects: false,
    headers: {
      host: url.host,
      "user-agent": "hello-devops",
      ...Object.fromEntries(given.filter((header) => !isProtocol(header))),
      ...(question.authorization === undefined ? {} : { authorization: question.authorization }),
    },
  });
}

function shaken(socket: WebSocket): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    socket.once("upgrade", (response) =>
      socket.once("open", () => {
        socket.pause(); // a message that comes with the handshake waits until somebody listens
        resolve(response);
      }),
    );
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, { statusCode = 0 }) =>
      reject(new NoAnswer(`status ${statusCode} in place of a WebSocket`, String(statusCode))),
    );
  });
}

function firstRight(socket: WebSocket, handshake: Answer, judge: Judge, attempt: Attempt): Promise<Heard> {
  attempt.waitingFor = "message";
  return new Promise((resolve, reject) => {
    let last: Heard | undefined;
    const onMessage = (data: WebSocket.RawData) => {
      const answer = { ...handshake, body: String(data) };
      last = { answer, differs: judge(answer) };
      attempt.waitingFor = `right message (the last one: ${last.differs?.text})`;
      if (last.differs && !last.differs.brokenOff) return;
      socket.off("message", onMessage);
      resolve(last);
    };
    socket.on("message", onMessage);
    socket.once("error", reject);
    socket.once("close", (code) => {
      if (last) resolve(last);
      else reject(new NoAnswer(`the WebSocket was closed without a message (code ${code})`, "closed"));
    });
  });
}
