import type { Answer, Done } from "./load";

/** A row for each path: how many, which answers, how long they took. */
export function rows(answers: readonly Answer[]): string[][] {
  const byPath = grouped(answers, ({ ask }) => `${ask.method} ${ask.path.split("?", 1)[0]}`);
  const lines = [...byPath].sort().map(([path, of]) => {
    const times = of.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share: number) => `${Math.round(times[Math.ceil(times.length * share) - 1] ?? 0)} ms`;
    return [path, String(of.length), outcomes(of), at(0.5), at(0.95), at(1)];
  });
  return [["Request", "Count", "Answers", "Half within", "95 % within", "Slowest"], ...lines];
}

function outcomes(answers: readonly Answer[]): string {
  const groups = grouped(answers, ({ outcome }) => outcome);
  return [...groups]
    .sort()
    .map(([outcome, of]) => (of.length === answers.length ? outcome : `${of.length} x ${outcome}`))
    .join(", ");
}

/** `Map.groupBy` came only with Node 21. */
function grouped(answers: readonly Answer[], key: (answer: Answer) => string): Map<string, Answer[]> {
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) {
    const group = groups.get(key(answer)) ?? [];
    groups.set(key(answer), group);
    group.push(answer);
  }
  return groups;
}

/** What a person should know beside the rows. */
export function remarks({ answers, leftOut, ms }: Done): string[] {
  const seconds = Math.max(ms, 1) / 1000;
  const pace = `${answers.length} requests in ${seconds.toFixed(1)} s, ${(answers.length / seconds).toFixed(1)} a second.`;
  const noFaults = answers.some(({ ask, outcome }) => ask.path.startsWith("/fault/") && outcome === "404");
  return [
    pace,
    ...(leftOut > 0 ? [`${leftOut} were left out: too many were waiting for their answer.`] : []),
    ...(noFaults ? ["The app has no /fault/...: start it with FAULTS=on to see errors and slow answers."] : []),
  ];
}
