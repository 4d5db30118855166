import { Agent, type ClientRequest } from "node:http";
import { Duplex } from "node:stream";
import Docker from "dockerode";
import { UserError } from "../user-error";
import { type Connection, DOCKER_SOCKET } from "./connection";

/** Through docker's client each is one of sshd's MaxSessions, 10 by default; streams (pull, events, logs) count while they are open. */
const MAX_CHANNELS = 5;

/** The host's Docker Engine API, over its socket in channels of the one connection (docs/adr/0012). */
export class Engine {
  readonly docker: Docker;
  readonly #agent: EngineAgent;
  #greeting: Promise<Docker.DockerVersion> | undefined;

  constructor(connection: Connection, debug: (line: string) => void) {
    this.#agent = new EngineAgent(connection);
    // Unversioned paths: the daemon's own API version, whatever it is (20.10 has 1.41, 29 refuses less than 1.44).
    this.docker = new Docker({ protocol: "http", host: "docker", agent: this.#agent } as Docker.DockerOptions);
    tellCalls(this.docker, debug);
  }

  /**
   * Asks the engine for its version, once, and says why where it doesn't answer.
   *
   * @throws {UserError} no Docker, no rights to it, not running, too old, or not Docker at all (Podman).
   */
  greet(): Promise<Docker.DockerVersion> {
    this.#greeting ??= this.#greet();
    return this.#greeting;
  }

  async #greet(): Promise<Docker.DockerVersion> {
    let version: Docker.DockerVersion;
    try {
      version = await this.docker.version();
    } catch (cause) {
      const { message, rawPacket } = cause as Error & { rawPacket?: Buffer }; // node:http's, of what it could not parse
      if (rawPacket && this.#agent.complaint === "")
        throw new UserError(talksFirst(rawPacket.toString("utf8"), "Docker's"), { cause });
      throw new UserError(whyNoDocker(this.#agent.complaint, message), { cause });
    }
    const component = version.Components?.find(({ Name }) => /podman/i.test(Name));
    if (component)
      throw new UserError(
        "The host runs Podman behind the docker command. hello-devops needs Docker Engine 20.10 or later.",
      );
    const [major = 0, minor = 0] = version.Version.split(".").map(Number);
    if (major < 20 || (major === 20 && minor < 10)) {
      throw new UserError(`The host runs Docker ${version.Version}. hello-devops needs Docker Engine 20.10 or later.`);
    }
    return version;
  }

  /** Opens channels before they are asked for: each takes a round trip. */
  warm(): void {
    this.#agent.openAhead(MAX_CHANNELS);
  }

  /** Ends every channel of it, streams too. */
  close(): void {
    this.#agent.end();
  }
}

interface Modem {
  dial(options: { method: string; path: string }, done: (error: Error | null, ...answer: unknown[]) => void): void;
}

/** Each call with its time, for ACTIONS_STEP_DEBUG. A path holds no secret: env and logins travel in bodies and headers. */
function tellCalls(docker: Docker, debug: (line: string) => void): void {
  const modem = docker.modem as unknown as Modem;
  const dial = modem.dial.bind(modem);
  modem.dial = (options, done) => {
    const startedAt = performance.now();
    dial(options, (error, ...answer) => {
      const took = Math.round(performance.now() - startedAt);
      debug(
        `docker: ${options.method} ${options.path.replace(/\?.*$/, "")}: ${error ? error.message.trim() : "OK"} in ${took} ms`,
      );
      done(error, ...answer);
    });
  };
}

class EngineAgent extends Agent {
  complaint = "";

  readonly #open = new Set<Duplex>();
  readonly #ahead: EngineStream[] = [];
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super({ keepAlive: true, maxSockets: MAX_CHANNELS });
    this.#connection = connection;
  }

  /**
   * node:http tells of an answer that breaks off on the answer, and dockerode listens for it on the request alone: a call
   * like /wait, whose headers come long before its body, would never settle.
   */
  addRequest(request: ClientRequest, ...more: readonly unknown[]): void {
    request.once("response", (response) => {
      response.once("error", (cause) =>
        request.emit("error", new Error("the host's Docker broke off its answer", { cause })),
      );
    });
    (Agent.prototype as unknown as { addRequest: EngineAgent["addRequest"] }).addRequest.call(this, request, ...more);
  }

  /** At once, before its channel is there: the agent counts a stream that comes by callback only when it has come. */
  override createConnection(): Duplex {
    for (let stream = this.#ahead.shift(); stream; stream = this.#ahead.shift()) if (!stream.destroyed) return stream;
    return this.#dial();
  }

  openAhead(count: number): void {
    for (let n = 0; n < count; n += 1) {
      const stream = this.#dial();
      stream.on("error", () => {}); // told by the first call that opens one anew
      this.#ahead.push(stream);
    }
  }

  #dial(): EngineStream {
    const stream = new EngineStream(() =>
      this.#connection.dialSocket(DOCKER_SOCKET).catch(() => this.#throughTheClient()),
    );
    this.#open.add(stream);
    stream.once("close", () => this.#open.delete(stream));
    return stream;
  }

  /** Where the socket can't be reached, docker's own client may know another one, or say why not. */
  async #throughTheClient(): Promise<Duplex> {
    const channel = await this.#connection.exec("docker system dial-stdio");
    channel.stderr.on("data", (chunk: Buffer) => {
      this.complaint = `${this.complaint}${chunk.toString("utf8")}`.slice(-2000);
    });
    return channel;
  }

  end(): void {
    this.destroy();
    for (const stream of this.#open) stream.destroy();
  }
}

/** A stream that opens its channel first, with what node:http calls on its sockets and a channel has not. */
class EngineStream extends Duplex {
  readonly #dial: () => Promise<Duplex>;
  #channel: Duplex | undefined;

  constructor(dial: () => Promise<Duplex>) {
    super({ allowHalfOpen: false });
    this.#dial = dial;
  }

  override _construct(done: (error?: Error) => void): void {
    this.#dial().then((channel) => {
      this.#channel = channel;
      channel.on("data", (chunk: Buffer) => this.push(chunk) || channel.pause());
      channel.on("end", () => this.push(null));
      channel.on("error", (error) => this.destroy(error));
      channel.on("close", () => channel.readableEnded || this.destroy());
      done();
    }, done);
  }

  override _read(): void {
    this.#channel?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#channel?.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#channel?.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#channel?.destroy();
    done(error);
  }

  setKeepAlive = (): this => this;
  setNoDelay = (): this => this;
  setTimeout = (): this => this;
  ref = (): this => this;
  unref = (): this => this;
}

/** What to say of output before the first word of a protocol. */
const talksFirst = (said: string, whose: string): string =>
  `The host wrote "${said.split("\n")[0]?.trim().slice(0, 80)}" before ${whose} first word: a start-up file of its shell (.bashrc, .profile) prints something. Let it print only in interactive shells.`;

/** The engine's socket may be there without it (docs/adr/0012); but what takes a deploy back on the host is docker's own client. */
export const NO_CLIENT = "The host has no docker command for this user. Install Docker Engine 20.10 or later on it.";

function whyNoDocker(complaint: string, message: string): string {
  if (
    /not found|unknown command|no such file/i.test(complaint) &&
    /docker/.test(complaint) &&
    !/sock/.test(complaint)
  ) {
    return NO_CLIENT;
  }
  if (/permission denied/i.test(complaint)) {
    return "This user may not use Docker on the host. Add it to the group of /var/run/docker.sock: sudo usermod -aG docker USER.";
  }
  if (/cannot connect|is the docker daemon running|no such file|connection refused/i.test(complaint)) {
    return "Docker is installed on the host but does not run. Start it: sudo systemctl enable --now docker.";
  }
  const last = complaint.trim().split("\n").at(-1) || message;
  return `The host's Docker does not answer: ${last}`;
}
