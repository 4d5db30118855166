import type { Found, Guard } from "../host/guard/guard";
import type { Host } from "../host/host";
import type { Past } from "./listing";
import { type Log, named } from "./log";
import type { Evidence } from "./outcome";
import type { ReleaseRecord } from "./record";
import type { Terms } from "./request";
import type { Scene } from "./scene";
import type { Scout } from "./scout";
import type { Stop, Transaction } from "./transaction";
import type { Target, World } from "./world";

/** One host of a deploy, and what the deploy knows of it so far. */
export interface Member {
  readonly target: Target;
  readonly name: string;
  /** each line with the host's name, where there are several */
  readonly log: Log;
  /** a line with the host's name, always */
  readonly say: (line: string) => void;
  readonly evidence: Evidence[];
  readonly stop: Stop;
  host?: Host;
  /** asks what needs no lock, from the connection on */
  scout?: Scout;
  guard?: Guard;
  found?: Found;
  /** another change held the lock when this one came */
  waited?: boolean;
  /** what was committed when the deploy began, once that is known */
  current?: ReleaseRecord | undefined;
  scene?: Scene;
  /** where it serves the app, once that is known */
  httpPort?: number | undefined;
  /** what a rollback finds on it */
  past?: Past;
  /** how the release that comes back is served and checked */
  terms?: Terms;
  /** from the first mutation on */
  tx?: Transaction;
  /** what the guard says of all that follows the commit, where that is under way already */
  finishing?: Promise<string | undefined>;
}

/** The hosts of one deploy. They go through its phases side by side; the first that fails stops all. */
export class Fleet {
  readonly members: readonly Member[];
  /** the host whose failure stopped the deploy; undefined = it was cancelled, or nothing has failed */
  failedOn: Member | undefined;
  readonly #stop = new AbortController();

  constructor(world: World) {
    this.members = world.hosts.map((target) => this.#member(target, world));
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get several(): boolean {
    return this.members.length > 1;
  }

  #member(target: Target, { log: all, hosts }: World): Member {
    const { name } = target;
    const log = hosts.length > 1 ? named(all, name) : all;
    const say = (line: string) => all.info(`${name}: ${line}`);
    const stop = { signal: this.#stop.signal, abort: (reason: unknown) => this.#fail(member, reason) };
    const member: Member = { target, name, log, say, evidence: [], stop };
    return member;
  }

  #fail(member: Member, reason: unknown): void {
    if (this.signal.aborted) return;
    this.failedOn = member;
    this.#stop.abort(reason);
  }

  /** Whatever its hosts do: the job was cancelled, or what failed is no single host's. */
  stopAll(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Side by side; the first that fails stops the others, and nothing is under way when this ends. */
  async together(bodies: readonly (() => Promise<unknown>)[]): Promise<void> {
    const ended = await Promise.allSettled(
      bodies.map(async (body) => {
        try {
          await body();
        } catch (error) {
          this.stopAll(error); // the second reason is ignored
          throw error;
        }
      }),
    );
    if (ended.some(({ status }) => status === "rejected")) throw this.signal.reason;
  }

  /**
   * Does the same on several hosts side by side. The first failure stops the others where they wait; it is thrown when
   * all have ended, so that nothing is under way behind it.
   */
  async each<T>(members: readonly Member[], body: (member: Member) => Promise<T>): Promise<T[]> {
    const ended = await Promise.allSettled(
      members.map(async (member) => {
        try {
          return await body(member);
        } catch (error) {
          this.#fail(member, error);
          throw error;
        }
      }),
    );
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed) throw this.signal.reason;
    return ended.map((end) => (end as PromiseFulfilledResult<T>).value);
  }

  close(): void {
    for (const { host } of this.members) host?.close();
  }
}

/** What is there by the phase that asks for it. */
export function of<K extends "host" | "scout" | "guard" | "found" | "scene" | "past" | "terms" | "tx">(
  member: Member,
  what: K,
): NonNullable<Member[K]> {
  const value = member[what];
  if (!value) throw new Error(`${member.name} has no ${what} yet`);
  return value as NonNullable<Member[K]>;
}

/** In waves of so many hosts, in their order. */
export function waves<T>(members: readonly T[], size: number): T[][] {
  const count = Math.ceil(members.length / size);
  return Array.from({ length: count }, (_, n) => members.slice(n * size, (n + 1) * size));
}
