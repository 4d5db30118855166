import type { Duplex } from "node:stream";
import { NodeSSH } from "node-ssh";
import type { Client, ClientChannel } from "ssh2";
import { UserError } from "../user-error";
import { fingerprint, type HostKeyTrust, SSH_KNOWN_HOSTS } from "./known-hosts";

/** How to get into one host. */
export interface Access {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly passphrase: string;
  /** EC2 Instance Connect has sent its public half to the host; else it is the user's */
  readonly keyWasSent: boolean;
  readonly trust: HostKeyTrust;
  /** milliseconds, for the whole of TCP, key exchange and authentication */
  readonly connectTimeout: number;
}

/** ssh2's errors of a channel that the host did not open: `reason` of RFC 4254, 5.1 */
type ChannelError = Error & { readonly reason?: number };
const PROHIBITED = 1;
const CONNECT_FAILED = 2;

export const DOCKER_SOCKET = "/var/run/docker.sock";
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** The one SSH connection to a host. Everything goes through its channels; when it closes, all of them end. */
export class Connection {
  readonly name: string;
  /** its fingerprint, `SHA256:...` */
  readonly hostKey: string;
  /** settles when the connection is over, however it ended */
  readonly closed: Promise<void>;
  /** for each channel that is being opened: what tells that there will be none */
  readonly #opening = new Set<() => void>();
  readonly #ssh: NodeSSH;
  readonly #client: Client;
  #over = false;

  private constructor(name: string, hostKey: string, ssh: NodeSSH, client: Client) {
    this.name = name;
    this.hostKey = hostKey;
    this.#ssh = ssh;
    this.#client = client;
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.#over = true;
        for (const lost of this.#opening) lost();
        resolve();
      };
      client.once("close", end);
      client.on("error", end); // node-ssh takes its own listener off when it is ready
    });
  }

  /** @throws {UserError} that says which of address, key, user or host key is wrong. */
  static async open(access: Access): Promise<Connection> {
    const ssh = new NodeSSH();
    const seen: { key?: Buffer } = {};
    const types = access.trust.types;
    try {
      const connecting = ssh.connect({
        host: access.address,
        port: access.port,
        username: access.user,
        privateKey: access.privateKey,
        ...(access.passphrase ? { passphrase: access.passphrase } : {}),
        readyTimeout: access.connectTimeout,
        ...KEEPALIVE,
        authHandler: ["publickey"], // ssh2 asks for "none" first, a round trip that says no
        ...(types ? { algorithms: { serverHostKey: signatures(types) } } : {}),
        hostVerifier: (key: Buffer) => {
          seen.key = key;
          return access.trust.judge(key) === "known";
        },
      });
      ssh.connection?.setNoDelay(true); // at once: in the key exchange Nagle's algorithm waits for delayed ACKs
      await connecting;
    } catch (cause) {
      ssh.dispose();
      throw refusal(access, seen.key, cause as Error & { code?: string; level?: string });
    }
    const client = ssh.connection;
    if (!client) throw new UserError(`${access.address}: the connection was closed as soon as it was open.`);
    return new Connection(access.address, seen.key ? fingerprint(seen.key) : "", ssh, client);
  }

  get over(): boolean {
    return this.#over;
  }

  /** An exec channel. The command is one that any login shell takes: plain words. */
  exec(command: string): Promise<ClientChannel> {
    return this.#channel((done) => this.#client.exec(command, done));
  }

  /** A TCP stream from the host to `address:port`, as seen from the host. */
  dial(address: string, port: number): Promise<Duplex> {
    return this.#channel<Duplex>((done) => this.#client.forwardOut("127.0.0.1", 0, address, port, done));
  }

  /** A stream to a UNIX socket of the host. */
  dialSocket(path: string): Promise<Duplex> {
    return this.#channel<Duplex>((done) => this.#client.openssh_forwardOutStreamLocal(path, done));
  }

  /**
   * Probes and the proxy's socket need both kinds of forwarding. Asked with what is there on every host, for sshd says
   * the same of a socket that it may not and of one that it can't reach.
   *
   * @throws {UserError} that names the setting
   */
  async requireForwarding(): Promise<void> {
    const allowed = async (opening: Promise<Duplex>, setting: string, forbidden: (error: ChannelError) => boolean) => {
      try {
        (await opening).destroy();
      } catch (cause) {
        if (!forbidden(cause as ChannelError)) return;
        throw new UserError(
          `The host's sshd forbids ${setting}, which the checks of a release go through. Set ${setting} yes in its sshd_config, reload it, and look for no-port-forwarding or restrict at this key in authorized_keys. Nothing was changed.`,
          { cause },
        );
      }
    };
    await Promise.all([
      allowed(this.dial("127.0.0.1", 22), "AllowTcpForwarding", ({ reason }) => reason === PROHIBITED),
      allowed(
        this.dialSocket(DOCKER_SOCKET),
        "AllowStreamLocalForwarding",
        ({ reason }) => reason === PROHIBITED || reason === CONNECT_FAILED,
      ),
    ]);
  }

  close(): void {
    this.#ssh.dispose();
  }

  /** Ends it without a word to the other side: for a wire that is cut already. */
  destroy(): void {
    this.#client.destroy();
  }

  #channel<T>(open: (done: (error: Error | undefined, channel: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(new ConnectionLost(this.name));
        return;
      }
      const lost = () => reject(new ConnectionLost(this.name));
      this.#opening.add(lost); // and no longer than it takes: a bake of hours opens tens of thousands
      open((error, channel) => {
        this.#opening.delete(lost);
        if (error) reject(this.#over ? new ConnectionLost(this.name, { cause: error }) : error);
        else resolve(channel);
      });
    });
  }
}

/** The wire is gone. What was under way on it is unknown. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  constructor(host: string, options?: ErrorOptions) {
    super(`the connection to ${host} was lost`, options);
  }
}

/** An RSA key signs with SHA-2 only (RFC 8332). */
const signatures = (types: readonly string[]) =>
  types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type])) as never[];

function refusal(access: Access, key: Buffer | undefined, cause: Error & { code?: string; level?: string }): UserError {
  const at = `${access.address} port ${access.port}`;
  const say = (text: string) => new UserError(text, { cause });
  const verdict = key ? access.trust.judge(key) : "known";
  const { source } = access.trust;
  if (key && verdict !== "known") {
    const otherwise =
      source === SSH_KNOWN_HOSTS
        ? "If the instance was replaced, read its new key on the instance (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and update ssh-known-hosts"
        : "If its keys were made anew since, read them on the instance (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and write them in ssh-known-hosts";
    return say(
      `${at}: the host showed the key ${fingerprint(key)}, which is ${verdict === "revoked" ? "revoked" : "not the one"} in ${source}. Nothing was sent to it. ${otherwise}; else somebody may stand between.`,
    );
  }
  if (/no matching.*host key/i.test(cause.message)) {
    return say(
      `${at}: the host has no key of the type in ${source} (${access.trust.types?.join(", ")}). Add the line for a key that it has to ssh-known-hosts.`,
    );
  }
  if (cause.level === "client-authentication" && access.keyWasSent) {
    return say(
      `${at}: the user "${access.user}" was refused, with the key that EC2 Instance Connect had sent. Check ssh-user (Amazon Linux: ec2-user, Ubuntu: ubuntu), and that the instance has the package ec2-instance-connect, as Amazon Linux and Ubuntu have it; else give an ssh-key.`,
    );
  }
  if (cause.level === "client-authentication") {
    return say(
      `${at}: the user "${access.user}" with this ssh-key was refused. Check ssh-user (Amazon Linux: ec2-user, Ubuntu: ubuntu, Debian: admin) and that the key's public half is in its authorized_keys.`,
    );
  }
  if (cause.code === "ENOTFOUND" || cause.code === "EAI_AGAIN")
    return say(`hosts: the name "${access.address}" does not resolve.`);
  if (cause.code === "ECONNREFUSED")
    return say(`${at}: the connection was refused. Does sshd run there, on that port?`);
  if (/lost before handshake|no response from server/i.test(cause.message)) {
    return say(
      `${at}: the host closed the connection before anybody was logged in. Is it sshd that listens there? It may be at its limit (MaxStartups), or ban this runner's address: its log says which.`,
    );
  }
  if (
    cause.level === "client-timeout" ||
    cause.code === "ETIMEDOUT" ||
    cause.code === "EHOSTUNREACH" ||
    cause.code === "ENETUNREACH"
  ) {
    return say(
      `${at}: no SSH connection within connect-timeout (${access.connectTimeout / 1000} s). Is the instance running, and does its security group let this runner in on port ${access.port}?`,
    );
  }
  return say(`${at}: no SSH connection: ${cause.message}`);
}
