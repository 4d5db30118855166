import type { Step } from "../explore";
import {
  changed,
  changedAll,
  connected,
  type Design,
  type Host,
  holds,
  lives,
  type Message,
  mail,
  nameOf,
  type State,
  type Which,
} from "./state";

/** The runner as the fleet's coordinator: prepare all, commit all; if one went back, revert the others; else finish. */
export class Runner {
  constructor(private readonly design: Design) {}

  next(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    const fleet = (possible: boolean, label: string, change: (to: State) => void, optional = false) => {
      if (possible) steps.push({ label, to: changedAll(state, change), optional });
    };
    fleet(
      state.runner === "paused",
      "the runner goes on",
      (to) => {
        to.runner = "runs";
      },
      PERHAPS,
    );
    const undecided = state.runner === "runs" && state.stage === "prepare";
    const quiet = state.hosts.every(({ asked }) => !asked); // nothing of the runner is under way
    fleet(undecided && quiet, "a gate fails, or the job is cancelled: the runner aborts", (to) => {
      to.stage = "abort";
    });
    const prepared = state.hosts.every(({ knows }) => knows === "prepared");
    fleet(undecided && prepared, "the runner decides to commit", (to) => {
      to.stage = "commit";
    });
    return steps;
  }

  /** Its dealings with one host, and the wire to it. */
  on(state: State, which: Which): Step<State>[] {
    const steps: Step<State>[] = [];
    this.#with(state, which, steps);
    return steps;
  }

  #with(state: State, which: Which, steps: Step<State>[]): void {
    const host = state.hosts[which];
    const name = nameOf(which);
    const may: May = (possible, label, change, optional = false) => {
      if (possible) steps.push({ label, to: changed(state, which, change), optional });
    };
    may(
      host.wire === "cut",
      `the wire to ${name} is mended`,
      (to) => {
        to.wire = "up";
      },
      PERHAPS,
    );
    if (state.runner !== "runs" || !this.#concerns(state, host)) return;
    const message = this.#message(state, host);
    const via = host.via;
    may(via !== "none" && !host.asked && message !== "", `the runner sends ${message} to ${name}`, (to) => {
      if (via !== "none") mail(to, via, message);
      to.asked = true;
      if (message === "COMMIT") to.told = true;
    });
    const reached = host.wire === "up" && via !== "none" && connected(host, via);
    may(reached && host.answer !== "", `the runner hears from ${name}: ${host.answer}`, (to, all) =>
      this.#hear(to, all),
    );
    const silent = host.wire === "cut" || (via !== "none" && (!connected(host, via) || !lives(host[via])));
    const notices = host.asked || !this.#waitsForOthers(state, host);
    may(
      via !== "none" && silent && notices && !(reached && host.answer !== ""),
      `the runner loses its guard on ${name}`,
      (to, all) => {
        to.via = "none";
        to.asked = false;
        to.answer = "";
        if (all.stage === "prepare") all.stage = "abort";
        this.#advance(all);
      },
    );
    this.#returns(state, host, name, may);
  }

  #returns(state: State, host: Host, name: string, may: May): void {
    if (host.via !== "none") return;
    const place = !lives(host.again) || !lives(host.first);
    may(host.wire === "up" && place && !this.#waitsForOthers(state, host), `the runner comes back to ${name}`, (to) => {
      if (lives(to.again)) moveUp(to);
      else if (to.again === "dead" && !lives(to.first)) to.first = "dead";
      to.again = "queue";
      to.againConnection = true;
      to.againMail = "";
      to.turn = state.stage === "commit" || state.stage === "revert" ? "again" : "settle";
      to.via = "again";
      to.asked = true;
    });
    const settled = !holds(host.first) && !holds(host.again); // the runner tries for longer than two leases
    may(host.wire === "cut" && settled, `the runner gives ${name} up`, (to, all) => {
      to.knows = this.#unreached(all);
      this.#advance(all);
    });
  }

  #unreached({ stage }: State): Host["knows"] {
    if (stage === "finish") return "left";
    return this.design.has("a lost host is said to be back") ? "back" : "unknown";
  }

  /** Whether there is still something to do with it. */
  #concerns({ stage }: State, { knows }: Host): boolean {
    if (stage === "prepare" || stage === "abort") return knows === "begun" || knows === "prepared";
    return stage === "commit" ? knows === "prepared" || knows === "committed" : knows === "committed";
  }

  #waitsForOthers({ stage }: State, { knows }: Host): boolean {
    const later = this.design.has("a committed host is not come back to before it is needed");
    return later && stage === "commit" && knows === "committed";
  }

  #message({ stage }: State, { knows }: Host): Message {
    switch (stage) {
      case "prepare":
        if (knows === "prepared" && this.design.has("COMMIT goes out as each is prepared")) return "COMMIT";
        return knows === "begun" ? "PREPARE" : "";
      case "abort":
        return "ABORT";
      case "commit":
        if (knows === "committed" && this.design.has("FINISH goes out as each is committed")) return "FINISH";
        return knows === "prepared" ? "COMMIT" : "";
      case "revert":
        return "REVERT";
      case "finish":
        return "FINISH";
    }
  }

  #hear(to: Host, all: State): void {
    const { answer } = to;
    to.answer = "";
    to.asked = false;
    if (answer === "prepared") {
      if (all.stage === "prepare") to.knows = "prepared"; // a guard that took over what is prepared changes nothing
    } else if (answer === "committed") {
      if (all.stage === "commit" || all.stage === "prepare") to.knows = "committed";
    } else if (all.stage === "finish" && answer === "back") to.knows = "left";
    else if (answer !== "") to.knows = answer;
    this.#advance(all);
  }

  /** When all hosts have answered, it knows what comes next; a host that went back is followed by the others. */
  #advance(all: State): void {
    const known = all.hosts.map(({ knows }) => knows);
    if (all.stage === "prepare" || all.stage === "commit") {
      if (known.some((knows) => knows === "begun" || knows === "prepared")) return;
      const back = known.includes("back") && !this.design.has("nobody is reverted");
      all.stage = back ? "revert" : "finish";
    }
    const open = all.stage === "abort" ? /^(begun|prepared)$/ : /^committed$/;
    if (known.some((knows) => open.test(knows))) return;
    all.runner = "ended";
    all.says = this.#word(all, known);
  }

  #word(all: State, known: readonly Host["knows"][]): State["says"] {
    const doubted = known.includes("unknown") && !this.design.has("an unknown host is said to be deployed");
    if (all.stage === "finish") return doubted || known.includes("back") ? "failed" : "deployed";
    return known.every((knows) => knows === "back") ? "rolled back" : "failed";
  }
}

/** Marks what need not happen: nobody may count on it. */
const PERHAPS = true;

type May = (possible: boolean, label: string, change: (to: Host, all: State) => void, optional?: boolean) => void;

/** The guard that it came back with is lost in turn, and the next one has to find it in its place. */
function moveUp(to: Host): void {
  to.first = to.again;
  to.firstConnection = to.againConnection;
  to.firstMail = to.againMail;
}
