import { GuardLost } from "../host/guard/failures";
import { UserError } from "../user-error";
import type { TakenBack } from "./abort";
import type { Ending } from "./decision";
import { Cancelled, GateError, sentence } from "./failure";
import { type Fleet, type Member, of } from "./fleet";
import type { Failure, HostOutcome, Outcome, ReleaseName, Status } from "./outcome";
import { nameOf } from "./record";
import type { Report } from "./report";

/** Where the app answers, as the host is named; IPv6 in brackets (RFC 3986). */
export function urlOf(httpPort: number, host: string): string {
  return `http://${host.includes(":") ? `[${host}]` : host}${httpPort === 80 ? "" : `:${httpPort}`}`;
}

/** What is known of a change before its hosts are. */
export interface Asked {
  readonly change: Outcome["change"];
  /** '' = that is for the host to say, as digest and image */
  readonly version: string;
  readonly image: string;
  readonly digest: string;
  /** the candidate's container stays when it fails */
  readonly keepsFailed: boolean;
  /** undefined = that is for the host to say */
  readonly httpPort: number | undefined;
}

/** The outcome of one change, whichever way it ended. */
export class Endings {
  constructor(
    private readonly asked: Asked,
    private readonly fleet: Fleet,
    private readonly report: Report,
  ) {}

  /** Nothing was changed: a wrong input, a host that can't take the deploy, a cancel in time. */
  failedBefore(cause: unknown): Outcome {
    return this.#close("failed", (member) => this.#asBefore(member, "failed"), this.#failure(cause, [], ""));
  }

  unchanged(): Outcome {
    const release = this.fleet.members[0]?.current?.release ?? "";
    return { ...this.#close("unchanged", (member) => this.#asBefore(member, "unchanged")), release };
  }

  planned(): Outcome {
    return this.#close("planned", (member) => this.#asBefore(member, "planned"));
  }

  /** Every host is committed, but those that are `unknown`: they were not reached any more. */
  committed(ends: ReadonlyMap<Member, Ending>): Outcome {
    const lost = [...ends].filter(([, end]) => end === "unknown").map(([{ name }]) => name);
    const failure =
      lost.length === 0
        ? undefined
        : this.#failure(
            new GateError(
              "commit",
              `${lost.join(", ")}: lost during the commit, and not reached again. It is prepared, and may be committed or have gone back by itself; the other hosts are committed. When it is back, ${this.#again()}: that ends all hosts on one release.`,
            ),
            [],
            "",
          );
    return this.#close(
      failure ? "failed" : "deployed",
      (member) => {
        if (!ends.has(member)) return this.#asBefore(member, "unchanged");
        if (ends.get(member) === "unknown") return this.#host(member, "failed", undefined, false);
        return this.#host(member, "deployed", this.#candidate(member), true);
      },
      failure,
    );
  }

  /** A host could not commit, and those that had committed follow it back. */
  parted(ends: ReadonlyMap<Member, Ending>): Outcome {
    const all = [...ends.values()];
    const back = all.every((end) => end === "back") && [...ends.keys()].some(({ current }) => current);
    const ended = (member: Member): HostOutcome => {
      switch (ends.get(member)) {
        case undefined:
          return this.#asBefore(member, "unchanged");
        case "back":
          return this.#asBefore(member, member.current ? "rolled-back" : "failed");
        case "unknown":
          return this.#host(member, "failed", undefined, false);
        default:
          return this.#host(member, "deployed", this.#candidate(member), true);
      }
    };
    const apart = all.some((end) => end !== "back")
      ? ` The hosts are on different releases now: ${this.#again()}, and all of them end on one.`
      : "";
    return this.#close(back ? "rolled-back" : "failed", ended, this.#failure(this.fleet.signal.reason, [], apart));
  }

  takenBack(phase: string, { cause, truths, lines }: TakenBack): Outcome {
    const unasked = [...truths.values()].some((truth) => truth === undefined);
    const ended = (member: Member): HostOutcome => {
      if (!truths.has(member)) return this.#asBefore(member, "unchanged");
      const truth = truths.get(member);
      const status = truth && member.current ? "rolled-back" : "failed";
      return this.#host(member, status, truth?.serving, truth !== undefined);
    };
    const anyBefore = [...truths.keys()].some(({ current }) => current !== undefined);
    const failure = this.#failure(cause, lines, unasked ? LEFT_ALONE : "", phase);
    return this.#close(anyBefore && !unasked ? "rolled-back" : "failed", ended, failure);
  }

  /** "The release before" is another one by now on some of the hosts. */
  #again(): string {
    if (this.asked.change === "deploy") return "run this deploy again";
    return `run the rollback again with to: ${this.fleet.members.find(({ scene }) => scene)?.scene?.id}`;
  }

  #close(status: Status, ended: (member: Member) => HostOutcome, failure?: Failure): Outcome {
    const { members, several } = this.fleet;
    const hosts = members.map(ended);
    const scene = members.find((member) => member.scene)?.scene;
    const evidence = members.flatMap((member) =>
      member.evidence.map((seen) => (several ? { ...seen, host: member.name } : seen)),
    );
    const end = {
      change: this.asked.change,
      status,
      release: scene?.id ?? "",
      version: scene?.kept?.version ?? this.asked.version,
      image: scene?.image.name ?? this.asked.image,
      digest: scene?.image.digest ?? this.asked.digest,
      containerLeft: failure === undefined || this.asked.keepsFailed,
      previous: hosts[0]?.previous,
      url: hosts[0]?.url ?? "",
      hosts,
      settled: hosts.every(({ settled }) => settled),
      failure,
    };
    return this.report.close(end, evidence);
  }

  #asBefore = (member: Member, status: Status): HostOutcome =>
    this.#host(member, status, member.current && nameOf(member.current), true);

  #host(member: Member, status: Status, serving: ReleaseName | undefined, settled: boolean): HostOutcome {
    const { name, current, target } = member;
    const httpPort = this.asked.httpPort ?? member.httpPort;
    return {
      name,
      instance: target.instance,
      status,
      url: httpPort ? urlOf(httpPort, target.address) : "",
      previous: current && nameOf(current),
      serving,
      settled,
    };
  }

  #candidate(member: Member): ReleaseName {
    const { candidate, request, scene } = of(member, "tx");
    return { release: candidate.id, version: request.version, digest: scene.image.digest };
  }

  #failure(cause: unknown, log: readonly string[], more: string, phase = this.report.phaseNow): Failure {
    const gate = cause instanceof GateError ? cause.gate : phase;
    const cancelled = cause instanceof Cancelled;
    const host = this.fleet.several && !cancelled ? this.fleet.failedOn?.name : undefined;
    const reason = `${host ? `${host}: ` : ""}${sentence(cause)}${more}`;
    return { host, gate, reason, log, cancelled, ...(isBug(cause) ? { cause } : {}) };
  }
}

const LEFT_ALONE =
  " What the host runs now was not asked: its guard settles by itself, at the latest once the lease has run out.";

const isBug = (cause: unknown): boolean =>
  ![UserError, GateError, Cancelled, GuardLost].some((kind) => cause instanceof kind);
