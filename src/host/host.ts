import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { type Access, Connection } from "./connection";
import { Engine } from "./docker";
import { Guard, type GuardOptions } from "./guard/guard";
import { proxySocket } from "./proxy/container";
import { ProxyRuntime } from "./proxy/runtime";

/** One host: the connection and the four streams that go through it. */
export class Host {
  readonly engine: Engine;

  private constructor(
    readonly connection: Connection,
    debug: (line: string) => void,
  ) {
    this.engine = new Engine(connection, debug);
  }

  /** `debug` is told each call with its time. */
  static async open(access: Access, debug: (line: string) => void): Promise<Host> {
    return new Host(await Connection.open(access), debug);
  }

  get name(): string {
    return this.connection.name;
  }

  get docker(): Docker {
    return this.engine.docker;
  }

  guard(options: GuardOptions): Promise<Guard> {
    return Guard.start(this.connection, options);
  }

  proxy(app: string): ProxyRuntime {
    return new ProxyRuntime(this.connection, proxySocket(app));
  }

  dial = (address: string, port: number): Promise<Duplex> => this.connection.dial(address, port);

  /** Without a word: for a wire that may be cut. */
  drop(): void {
    this.engine.close();
    this.connection.destroy();
  }

  close(): void {
    this.engine.close();
    this.connection.close();
  }
}
