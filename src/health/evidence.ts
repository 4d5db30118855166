import { latenciesOf } from "./latency";
import type { Sight } from "./sight";

const MOST_VERSIONS = 10;

/** What a check has seen so far. */
export class Evidence {
  readonly latencies: number[] = [];
  readonly #seen = new Map<string, number>();
  #last: Sight | undefined;
  #lastVersion = "";
  #rowVersions = new Set<string>();
  #holds = false;
  #certificateExpires: Date | undefined;

  /** It is healthy: what it bears from now on ends its row no more. */
  holds(): void {
    this.#holds = true;
  }

  /** @returns whether the server looks another way than before */
  add(sight: Sight): boolean {
    if (sight.cutShort && this.#last) return false;
    const changed = sight.kind !== this.#last?.kind || sight.standing !== this.#last.standing;
    this.#last = sight;
    this.#seen.set(sight.kind, (this.#seen.get(sight.kind) ?? 0) + 1);
    if (sight.standing === "right") this.latencies.push(sight.milliseconds);
    this.#addVersion(sight);
    this.#certificateExpires = sight.certificateExpires ?? this.#certificateExpires;
    return changed;
  }

  #addVersion({ standing, version }: Sight): void {
    this.#lastVersion = version ?? this.#lastVersion;
    if (standing !== "right" && !this.#holds) this.#rowVersions.clear();
    if (standing === "right" && version !== undefined && this.#rowVersions.size < MOST_VERSIONS)
      this.#rowVersions.add(version);
  }

  get soFar() {
    return {
      attempts: [...this.#seen.values()].reduce((sum, count) => sum + count, 0),
      seen: Object.fromEntries(this.#seen),
      lastKind: this.#last?.kind ?? "",
      lastStanding: this.#last?.standing,
      lastSeen: this.#last?.seen ?? "nothing yet",
      lastBody: this.#last?.body ?? "",
      version: [...this.#rowVersions].join(", ") || this.#lastVersion,
      latencies: latenciesOf(this.latencies),
      certificateExpires: this.#certificateExpires,
    };
  }
}
