import type { AddressInfo } from "node:net";
import ssh2, { type Connection } from "ssh2";
import { ed25519 } from "./ssh-keys";

/** An SSH server with a host key of its own that lets everybody in: whoever trusts it shows it all that a host would get. */
export class ManInTheMiddle {
  /** TCP connections that came */
  connections = 0;
  /** `user method`, for each that somebody tried to get in by */
  readonly logins: string[] = [];
  /** sessions, forwarded ports and sockets that somebody opened */
  channels = 0;
  readonly #clients = new Set<Connection>();
  readonly #server: ssh2.Server;

  private constructor(
    /** `ssh-ed25519 AAAA...` */
    readonly hostKey: string,
    privateKey: string,
  ) {
    this.#server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => this.#meet(client));
  }

  /** Listens on a free port of this address. */
  static async start(address = "127.0.0.1"): Promise<ManInTheMiddle> {
    const { public: hostKey, private: privateKey } = ed25519();
    const man = new ManInTheMiddle(hostKey.split(" ").slice(0, 2).join(" "), privateKey);
    await new Promise<void>((resolve) => man.#server.listen(0, address, resolve));
    return man;
  }

  get address(): string {
    return (this.#server.address() as AddressInfo).address;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async end(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.end();
    await closed;
  }

  #meet(client: Connection): void {
    this.connections += 1;
    this.#clients.add(client);
    const opened = (_accept: unknown, refuse: () => unknown) => {
      this.channels += 1;
      refuse();
    };
    client.on("error", () => {}).on("close", () => this.#clients.delete(client));
    client.on("authentication", (context) => {
      this.logins.push(`${context.username} ${context.method}`);
      context.accept();
    });
    client.on("session", opened).on("tcpip", opened).on("openssh.streamlocal", opened);
  }
}
