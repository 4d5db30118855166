import {
  type CompositeAlarm,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  type DescribeAlarmsCommandOutput,
  type MetricAlarm,
} from "@aws-sdk/client-cloudwatch";
import { UserError } from "../user-error";
import { oneLine } from "./one-line";
import type { Aws } from "./session";

/** What alarms need of a CloudWatchClient. */
export interface AlarmSource {
  readonly client: {
    send(command: DescribeAlarmsCommand, options?: { abortSignal?: AbortSignal }): Promise<DescribeAlarmsCommandOutput>;
  };
  /** for messages */
  readonly region: string;
}

export const alarmSource = (aws: Aws): AlarmSource => ({
  client: { send: (...asked) => aws.call("cloudwatch:DescribeAlarms", () => aws.cloudWatch.send(...asked)) },
  region: aws.region,
});

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

export interface Alarm {
  readonly name: string;
  readonly state: AlarmState;
  /** when the state last became what it is; undefined = AWS did not say */
  readonly since: Date | undefined;
  /** StateReason, on one line */
  readonly reason: string;
  /** what it takes to go into ALARM; undefined = not known: a composite alarm's children have their own */
  readonly pace: AlarmPace | undefined;
}

export interface AlarmPace {
  /** seconds */
  readonly period: number;
  /** breaching periods that make an ALARM (DatapointsToAlarm, or else EvaluationPeriods) */
  readonly breaches: number;
}

/** Alarms by name, as they stood at one moment. */
export type AlarmSnapshot = ReadonlyMap<string, Alarm>;

const MOST_NAMES = 100; // of one call (DescribeAlarms, AlarmNames)
const MOST_SHOWN = 5;

/**
 * The state of each alarm that `wanted` names: `web-cpu`, or `web-*` for all whose names begin so; metric and composite
 * ones. Taken before the deploy, so that what is red already is not laid at its door.
 * @throws {UserError} for a name that no alarm has, or a prefix of none
 */
export async function snapshotAlarms(
  source: AlarmSource,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<AlarmSnapshot> {
  const prefixes = wanted.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  const names = wanted.filter((name) => !name.endsWith("*"));
  if (prefixes.includes(""))
    throw new UserError('alarms: "*" means every alarm there is; write a prefix, as in web-*.');
  const found = new Map(await readAlarms(source, names, signal));
  for (const name of names) if (!found.has(name)) throw await missing(source, name, signal);
  for (const prefix of prefixes) {
    const alarms = await describe(source, { AlarmNamePrefix: prefix }, signal);
    if (alarms.length === 0) throw await missing(source, `${prefix}*`, signal);
    for (const alarm of alarms) found.set(alarm.name, alarm);
  }
  return found;
}

/** The alarms of these names; one that does not exist is left out. */
export async function readAlarms(
  source: AlarmSource,
  names: readonly string[],
  signal: AbortSignal,
): Promise<AlarmSnapshot> {
  const found: Alarm[] = [];
  for (let from = 0; from < names.length; from += MOST_NAMES)
    found.push(...(await describe(source, { AlarmNames: names.slice(from, from + MOST_NAMES) }, signal)));
  return new Map(found.map((alarm) => [alarm.name, alarm]));
}

/** All pages. Without AlarmTypes AWS leaves composite alarms out. */
async function describe(
  { client }: AlarmSource,
  which: Pick<DescribeAlarmsCommandInput, "AlarmNames" | "AlarmNamePrefix">,
  abortSignal: AbortSignal,
): Promise<Alarm[]> {
  const alarms: Alarm[] = [];
  let page: DescribeAlarmsCommandOutput | undefined;
  do {
    const input: DescribeAlarmsCommandInput = {
      ...which,
      AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
      MaxRecords: 100,
    };
    if (page?.NextToken) input.NextToken = page.NextToken;
    page = await client.send(new DescribeAlarmsCommand(input), { abortSignal });
    alarms.push(...[...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])].map(alarmOf));
  } while (page.NextToken);
  return alarms;
}

function alarmOf(alarm: MetricAlarm | CompositeAlarm): Alarm {
  return {
    name: alarm.AlarmName ?? "",
    state: stateOf(alarm),
    since: alarm.StateTransitionedTimestamp,
    reason: oneLine(alarm.StateReason ?? "AWS gave no reason"),
    pace: paceOf(alarm),
  };
}

/** An OK that AWS could not evaluate is an old one, and says nothing about now. */
function stateOf({ StateValue, EvaluationState }: MetricAlarm): AlarmState {
  if (StateValue === "ALARM") return "ALARM";
  const evaluated = EvaluationState !== "EVALUATION_ERROR" && EvaluationState !== "EVALUATION_FAILURE";
  return StateValue === "OK" && evaluated ? "OK" : "INSUFFICIENT_DATA";
}

function paceOf({ Period, Metrics, DatapointsToAlarm, EvaluationPeriods }: MetricAlarm): AlarmPace | undefined {
  // metric math has a period in each of its queries
  const periods = [Period, ...(Metrics ?? []).flatMap((query) => [query.Period, query.MetricStat?.Period])];
  const period = Math.max(0, ...periods.filter((seconds) => seconds !== undefined));
  const breaches = DatapointsToAlarm ?? EvaluationPeriods;
  return period > 0 && breaches !== undefined ? { period, breaches } : undefined;
}

/** Names that begin with the same word are shown: what is missing is mostly a slip of the pen. */
async function missing(source: AlarmSource, wanted: string, signal: AbortSignal): Promise<UserError> {
  const [word = ""] = /^[^-_/\s.:*]+/.exec(wanted) ?? [];
  const similar = word === "" ? [] : await describe(source, { AlarmNamePrefix: word }, signal);
  const names = similar.map(({ name }) => JSON.stringify(name));
  const shown = names.slice(0, MOST_SHOWN).join(", ");
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
  const what = wanted.endsWith("*") ? "no alarm's name begins with" : "there is no alarm";
  const hint = shown === "" ? "Look at its spelling and at aws-region." : `There are ${shown}${more}.`;
  return new UserError(`alarms: ${what} ${JSON.stringify(wanted.replace(/\*$/, ""))} in ${source.region}. ${hint}`);
}
