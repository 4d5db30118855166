import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { Connection } from "../../../src/host/connection";
import { Engine } from "../../../src/host/docker";
import { UserError } from "../../../src/user-error";
import { until } from "./guard/until";

let server: Server;
let channels: Socket[];
let commands: string[];
let open: () => number;
let most: number;
let debug: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  [channels, commands, most, debug] = [[], [], 0, []];
  const sockets = new Set<Socket>();
  open = () => sockets.size;
  server = createServer((request, response) => answer(request, response));
  server.on("connection", (socket: Socket) => {
    most = Math.max(most, sockets.add(socket).size);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A channel to a command that ended before it read anything. */
const deaf = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });

/**
 * A connection on which the socket, or else `docker system dial-stdio`, leads to the Engine of this test. With a complaint
 * neither does, and the command says why.
 */
function engine(complaint = "", socketIsThere = complaint === ""): Engine {
  const toEngine = () => {
    const channel = connect((server.address() as AddressInfo).port, "127.0.0.1");
    channels.push(channel);
    return channel;
  };
  const dialSocket = async (path: string) => {
    commands.push(path);
    if (!socketIsThere) throw new Error("(SSH) Channel open failure: open failed");
    return toEngine();
  };
  const exec = (command: string) => {
    commands.push(command);
    const channel = complaint ? deaf() : toEngine();
    const stderr = new PassThrough();
    if (complaint) stderr.once("data", () => setImmediate(() => channel.destroy()));
    if (complaint) setImmediate(() => stderr.write(complaint));
    return Promise.resolve(Object.assign(channel, { stderr }));
  };
  return new Engine({ exec, dialSocket } as unknown as Connection, (line) => debug.push(line));
}

const version = (text: string, more: object = {}) => {
  answer = (_request, response) => response.end(JSON.stringify({ Version: text, ...more }));
};

test.each(["20.10.0", "20.10.25+azure-1", "23.0.6", "28.5.1", "29.1.2"])("greets Docker %s", async (text) => {
  version(text);
  expect(await engine().greet()).toMatchObject({ Version: text });
  expect(commands).toEqual(["/var/run/docker.sock"]);
});

test("goes through docker's own client where the socket can't be reached", async () => {
  version("29.1.2");
  expect(await engine("", false).greet()).toMatchObject({ Version: "29.1.2" });
  expect(commands).toEqual(["/var/run/docker.sock", "docker system dial-stdio"]);
});

test.each(["19.03.15", "18.09.1", "1.13.1"])("refuses Docker %s", async (text) => {
  version(text);
  await expect(engine().greet()).rejects.toEqual(
    new UserError(`The host runs Docker ${text}. hello-devops needs Docker Engine 20.10 or later.`),
  );
});

test("refuses Podman, which answers to the name of docker", async () => {
  version("5.4.0", { Components: [{ Name: "Podman Engine", Version: "5.4.0" }] });
  await expect(engine().greet()).rejects.toEqual(
    new UserError("The host runs Podman behind the docker command. hello-devops needs Docker Engine 20.10 or later."),
  );
});

const NO_RIGHTS =
  "This user may not use Docker on the host. Add it to the group of /var/run/docker.sock: sudo usermod -aG docker USER.";
const NOT_RUNNING = "Docker is installed on the host but does not run. Start it: sudo systemctl enable --now docker.";
const NO_DOCKER = "The host has no docker command for this user. Install Docker Engine 20.10 or later on it.";

const complaints: readonly [complaint: string, sentence: string][] = [
  ["bash: line 1: docker: command not found\n", NO_DOCKER],
  ["bash: docker: command not found\n", NO_DOCKER],
  ["sh: 1: docker: not found\n", NO_DOCKER],
  ["-bash: /usr/bin/docker: No such file or directory\n", NO_DOCKER],
  ["zsh:1: command not found: docker\n", NO_DOCKER],
  ["fish: Unknown command: docker\n", NO_DOCKER],
  [
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied\n",
    NO_RIGHTS,
  ],
  ["Got permission denied while trying to connect to the Docker daemon socket\n", NO_RIGHTS],
  ["Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n", NOT_RUNNING],
  ["dial unix /var/run/docker.sock: connect: no such file or directory\n", NOT_RUNNING],
  ["dial unix /var/run/docker.sock: connect: connection refused\n", NOT_RUNNING],
  [
    "docker: 'system' is not a docker command\nSee 'docker --help'\n",
    "The host's Docker does not answer: See 'docker --help'",
  ],
];

test.each(complaints)("says what to do about %j", async (complaint, sentence) => {
  await expect(engine(complaint).greet()).rejects.toEqual(new UserError(sentence));
});

test("uses one channel again for calls that follow each other", async () => {
  version("29.1.2");
  const { docker } = engine();
  for (let call = 0; call < 5; call++) await docker.version();
  expect(channels).toHaveLength(1);
});

test("has at most 5 channels open, however many calls run side by side", async () => {
  const waiting: ServerResponse[] = [];
  answer = (_request, response) => waiting.push(response);
  const { docker } = engine();
  const calls = Promise.all(Array.from({ length: 12 }, () => docker.version()));
  for (let answered = 0; answered < 12; ) {
    await until(() => waiting.length === Math.min(5, 12 - answered), "the calls that may run side by side");
    answered += waiting.length;
    for (const response of waiting.splice(0)) response.end('{"Version":"29.1.2"}');
  }
  expect(await calls).toHaveLength(12);
  expect(most).toBe(5);
});

test("ends its streams when it is closed", async () => {
  answer = (_request, response) => response.write("a log line");
  const host = engine();
  const stream = await host.docker.getContainer("shop-2").logs({ follow: true, stdout: true });
  const ended = new Promise((resolve) => {
    stream.on("error", () => {}).on("close", resolve);
  });
  stream.resume();
  expect(open()).toBe(1);
  host.close();
  await ended;
  await until(() => open() === 0, "the end of the stream's channel");
});

test("leaves no idle channel open when it is closed", async () => {
  version("29.1.2");
  const host = engine();
  await host.docker.version();
  expect(open()).toBe(1);
  host.close();
  await until(() => open() === 0, "the end of the idle channel");
});

test("tells each call with its time, without what is in its query", async () => {
  answer = (_request, response) => response.end("[]");
  await engine().docker.listContainers({ filters: { label: ["secret"] } });
  expect(debug).toEqual([expect.stringMatching(/^docker: GET \/containers\/json: OK in \d+ ms$/)]);
});

test("fails a call with the connection's own reason when no channel can be had", async () => {
  const lost = () => Promise.reject(new Error("the connection to 10.0.0.5 was lost"));
  const host = new Engine({ exec: lost, dialSocket: lost } as unknown as Connection, () => {});
  await expect(host.docker.version()).rejects.toThrow("the connection to 10.0.0.5 was lost");
});

test("fails a call whose answer breaks off after its headers, as /wait's does when dockerd ends", async () => {
  answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    setImmediate(() => response.destroy());
  };
  const host = engine();
  await expect(host.docker.getContainer("shop-2-pre").wait()).rejects.toThrow("the host's Docker broke off its answer");
  expect(debug).toEqual([
    expect.stringMatching(/^docker: POST .*\/wait: the host's Docker broke off its answer in \d+ ms$/),
  ]);
});
