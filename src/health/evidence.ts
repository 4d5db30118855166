import { latenciesOf } from "./latency";
import type { Sight } from "./sight";

/** What a check has seen so far. */
export class Evidence {
  readonly latencies: number[] = [];
  readonly #seen = new Map<string, number>();
  #last: Sight | undefined;
  #version = "";
  #certificateExpires: Date | undefined;

  /** @returns whether the server looks another way than before */
  add(sight: Sight): boolean {
    const changed = sight.kind !== this.#last?.kind || sight.standing !== this.#last.standing;
    this.#last = sight;
    this.#seen.set(sight.kind, (this.#seen.get(sight.kind) ?? 0) + 1);
    if (sight.standing === "right") this.latencies.push(sight.milliseconds);
    this.#version = sight.version ?? this.#version;
    this.#certificateExpires = sight.certificateExpires ?? this.#certificateExpires;
    return changed;
  }

  get soFar() {
    return {
      attempts: [...this.#seen.values()].reduce((sum, count) => sum + count, 0),
      seen: Object.fromEntries(this.#seen),
      lastKind: this.#last?.kind ?? "",
      lastSeen: this.#last?.seen ?? "nothing yet",
      lastBody: this.#last?.body ?? "",
      version: this.#version,
      latencies: latenciesOf(this.latencies),
      certificateExpires: this.#certificateExpires,
    };
  }
}
