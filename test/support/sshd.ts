import { mkdtempSync, readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BedHost } from "../bed/bed";
import { run } from "../bed/run";
import { inBox } from "./outside";

export const SECOND_PORT = 2222;
const LOG = "/run/bed/second-sshd.log";

/** A user `deploy` in the box, who may use Docker, and a second sshd that writes down who logs in. */
export async function secondWayIn(host: BedHost): Promise<void> {
  const script = `id deploy >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' --groups docker deploy
install -d -o deploy -g deploy -m 700 /home/deploy/.ssh
install -o deploy -g deploy -m 600 /home/ec2-user/.ssh/authorized_keys /home/deploy/.ssh/authorized_keys
: >${LOG}
/usr/sbin/sshd -p ${SECOND_PORT} -E ${LOG} -o LogLevel=VERBOSE -o PidFile=none`;
  await inBox(host, "bash", "-c", script);
}

/** `deploy ED25519 SHA256:...` for each login since the last time, and how many connections came. */
export async function loginsAtSecond(host: BedHost): Promise<{ logins: string[]; connections: number }> {
  const log = await inBox(host, "bash", "-c", `cat ${LOG}; : >${LOG}`);
  const logins = [...log.matchAll(/^Accepted publickey for (\S+) .* ssh2: (\S+ \S+)/gm)];
  return {
    logins: logins.map(([, user, key]) => `${user} ${key}`),
    connections: log.match(/^Connection from /gm)?.length ?? 0,
  };
}

export interface KeyPair {
  readonly file: string;
  readonly private: string;
  readonly public: string;
  /** `ED25519 SHA256:...`, as sshd writes it */
  readonly name: string;
}

/** As people make them: by ssh-keygen. */
export async function newKey(passphrase: string): Promise<KeyPair> {
  const file = join(mkdtempSync(join(tmpdir(), "hello-devops-key-")), "id");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-C", "test", "-f", file]);
  return {
    file,
    private: readFileSync(file, "utf8"),
    public: readFileSync(`${file}.pub`, "utf8"),
    name: await nameOf(file),
  };
}

export async function nameOf(keyFile: string): Promise<string> {
  const print = await run("ssh-keygen", ["-lf", `${keyFile}.pub`]);
  return `ED25519 ${print.split(" ")[1]}`;
}

/** Takes connections, counts them, and never says a word. */
export class SilentServer {
  connections = 0;
  readonly #sockets: Socket[] = [];
  readonly #server: Server = createServer((socket) => {
    this.connections += 1;
    socket.on("error", () => {});
    this.#sockets.push(socket);
  });

  /** @returns `127.0.0.1:PORT` */
  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(`127.0.0.1:${address && typeof address === "object" ? address.port : 0}`);
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
