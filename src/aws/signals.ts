import { unlessAborted } from "../health/attempt";
import { type Glance, notRead, type Signal } from "../health/signal";
import { UserError } from "../user-error";
import { type Alarm, type AlarmSource, alarmSource, readAlarms, snapshotAlarms } from "./alarms";
import { lookAtInstances, statusSource } from "./instance-status";
import { type Filter, findInstances } from "./instances";
import { forInstances, type MetricRule } from "./metric-rule";
import { lookAtMetrics, metricClient } from "./metrics";
import { reasonOf } from "./one-line";
import type { Aws } from "./session";

/** What of AWS must be healthy. */
export interface AwsEvidence {
  /** names, or `web-*` */
  readonly alarms: readonly string[];
  readonly metrics: readonly MetricRule[];
  /** none of either = no instance */
  readonly instances: { readonly ids: readonly string[] } | { readonly filters: readonly Filter[] };
}

interface Means {
  /** monotonic milliseconds */
  readonly now: () => number;
  /** milliseconds since 1970: a metric's window ends there */
  readonly date: () => number;
  readonly cancel: AbortSignal;
}

// Milliseconds in which nothing can change: an alarm is evaluated every 10 s at most, a metric has a value for each minute.
const STATE_INTERVAL = 10_000;
const METRIC_INTERVAL = 60_000;
const MOST = 100; // of each kind: one call reads so many
const TOGETHER = 1000; // milliseconds; looks that begin within them are one

/**
 * Finds what is meant, once, and makes a signal of each alarm, of each metric rule (for each instance that it is left to)
 * and of each instance. All alarms are read by one call a look, and so are all rules of one window, and all instances.
 *
 * @throws {UserError} for an alarm, an instance or a filter that names nothing, for too much, and without credentials
 */
export async function openSignals(aws: Aws, wanted: AwsEvidence, means: Means): Promise<readonly Signal[]> {
  await aws.call("AWS", () => aws.cloudWatch.config.credentials());
  const ids = await instancesOf(aws, wanted, means.cancel);
  const alarms = await alarmsOf(alarmSource(aws), wanted.alarms, means.cancel);
  const rules = wanted.metrics.flatMap((rule) => forInstances("metrics", rule, ids));
  refuseMany("metrics", rules.length, "comparisons");
  return [
    ...alarmSignals(alarmSource(aws), alarms, means),
    ...metricSignals(aws, rules, means),
    ...instanceSignals(aws, ids, means),
  ];
}

async function instancesOf(aws: Aws, { instances }: AwsEvidence, cancel: AbortSignal): Promise<readonly string[]> {
  if ("ids" in instances) {
    await lookAtInstances(statusSource(aws), instances.ids, cancel); // it throws for an unknown one
    return instances.ids;
  }
  if (instances.filters.length === 0) return [];
  // each instance in a VPC has a private address
  const found = await findInstances(aws, { input: "ec2-filters", by: instances, address: "private" });
  refuseMany("ec2-filters", found.length, "instances");
  return found.map(({ id }) => id);
}

async function alarmsOf(source: AlarmSource, wanted: readonly string[], cancel: AbortSignal) {
  const names = [...(await snapshotAlarms(source, wanted, cancel)).keys()];
  refuseMany("alarms", names.length, "alarms");
  return names;
}

function refuseMany(input: string, count: number, what: string): void {
  if (count > MOST)
    throw new UserError(
      `${input}: it means ${count} ${what}; at most ${MOST} are watched. Name less, in several steps.`,
    );
}

function alarmSignals(source: AlarmSource, names: readonly string[], means: Means): Signal[] {
  const subjects = names.map((name) => ({ name: `alarm ${JSON.stringify(name)}`, expected: "the state OK" }));
  return signals(subjects, STATE_INTERVAL, means, (over) =>
    readAlarms(source, names, over).then(
      (alarms) => names.map((name) => glanceOf(alarms.get(name))),
      (error) => names.map(() => notRead(reasonOf(error))),
    ),
  );
}

function metricSignals(aws: Aws, rules: readonly MetricRule[], means: Means): Signal[] {
  const subjects = rules.map(({ text, window }) => ({
    name: `metric ${text}`,
    expected: `one value over ${window / 60_000} min for which that holds`,
  }));
  return signals(subjects, METRIC_INTERVAL, means, (over) =>
    lookAtMetrics(metricClient(aws), rules, new Date(means.date()), over),
  );
}

function instanceSignals(aws: Aws, ids: readonly string[], means: Means): Signal[] {
  const subjects = ids.map((id) => ({ name: `instance ${id}`, expected: "running, with its status checks passed" }));
  return signals(subjects, STATE_INTERVAL, means, (over) => lookAtInstances(statusSource(aws), ids, over));
}

/** @param look sees all subjects at once, in their order */
function signals(
  subjects: readonly Pick<Signal, "name" | "expected">[],
  interval: number,
  { now }: Means,
  look: (over: AbortSignal) => Promise<readonly Glance[]>,
): Signal[] {
  let began = Number.NEGATIVE_INFINITY;
  let seen: Promise<readonly Glance[]>;
  const together = (over: AbortSignal) => {
    if (now() - began >= TOGETHER) {
      began = now();
      seen = unlessAborted(look(over), over);
    }
    return seen;
  };
  return subjects.map((subject, index) => ({
    ...subject,
    interval,
    look: async (over) => (await together(over))[index] as Glance,
  }));
}

const standings = { OK: "right", ALARM: "wrong", INSUFFICIENT_DATA: "blind" } as const;

function glanceOf(alarm: Alarm | undefined): Glance {
  if (!alarm) return { standing: "blind", kind: "deleted", seen: "it is there no more" };
  const { state, reason } = alarm;
  return { standing: standings[state], kind: state, seen: state === "OK" ? state : `${state}: ${reason}` };
}
