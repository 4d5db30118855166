import {
  GetMetricDataCommand,
  type GetMetricDataCommandOutput,
  type MetricDataQuery,
  type MetricDataResult,
} from "@aws-sdk/client-cloudwatch";
import { type Glance, notRead } from "../health/signal";
import type { Comparison, MetricRule } from "./metric-rule";
import { oneLine, reasonOf } from "./one-line";
import type { Aws } from "./session";

/** What metrics need of a CloudWatchClient. */
export interface MetricClient {
  send(command: GetMetricDataCommand, options?: { abortSignal?: AbortSignal }): Promise<GetMetricDataCommandOutput>;
}

export const metricClient = (aws: Aws): MetricClient => ({
  send: (...asked) => aws.call("cloudwatch:GetMetricData", () => aws.cloudWatch.send(...asked)),
});

const MINUTE = 60_000;
const MOST_QUERIES = 500; // of one call (GetMetricData, MetricDataQueries)

/**
 * Asks CloudWatch once for all rules; each is right if its comparison holds. One data point covers the window, which ends
 * with the minute of `now`; the newest counts if AWS gives several. None is blind, and so is what could not be read.
 * @returns in the order of `rules`
 * @throws what `signal` was aborted with
 */
export async function lookAtMetrics(
  client: MetricClient,
  rules: readonly MetricRule[],
  now: Date,
  signal: AbortSignal,
): Promise<Glance[]> {
  const glances = new Map<MetricRule, Glance>();
  for (const together of calls(rules)) {
    const answer = await ask(client, together, now, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return reasonOf(error);
    });
    for (const [index, rule] of together.entries())
      glances.set(rule, typeof answer === "string" ? notRead(answer) : judge(rule, answer.get(idOf(index))));
  }
  return rules.flatMap((rule) => glances.get(rule) ?? []);
}

/** Rules of one window share a call, up to its limit: StartTime is the call's. */
function calls(rules: readonly MetricRule[]): MetricRule[][] {
  const windows = [...new Set(rules.map(({ window }) => window))].map((window) =>
    rules.filter((rule) => rule.window === window),
  );
  return windows.flatMap((same) =>
    Array.from({ length: Math.ceil(same.length / MOST_QUERIES) }, (_, index) =>
      same.slice(index * MOST_QUERIES, (index + 1) * MOST_QUERIES),
    ),
  );
}

const idOf = (index: number): string => `m${index}`; // begins with a small letter, as AWS wants it

interface Answer {
  readonly newest: number | undefined;
  /** of the last page */
  readonly status: MetricDataResult["StatusCode"];
  readonly messages: readonly string[];
}

/** All pages, newest data first. */
async function ask(
  client: MetricClient,
  rules: readonly MetricRule[],
  now: Date,
  abortSignal: AbortSignal,
): Promise<Map<string, Answer>> {
  const end = Math.ceil(now.getTime() / MINUTE) * MINUTE;
  const input = {
    MetricDataQueries: rules.map(queryOf),
    StartTime: new Date(end - (rules[0]?.window ?? 0)),
    EndTime: new Date(end), // exclusive
    ScanBy: "TimestampDescending" as const,
  };
  const answers = new Map<string, Answer>();
  const overall: string[] = [];
  let page: GetMetricDataCommandOutput | undefined;
  do {
    const more = page?.NextToken ? { NextToken: page.NextToken } : {};
    page = await client.send(new GetMetricDataCommand({ ...input, ...more }), { abortSignal });
    overall.push(...texts(page.Messages));
    for (const result of page.MetricDataResults ?? []) {
      const before = answers.get(result.Id ?? "");
      answers.set(result.Id ?? "", {
        newest: before?.newest ?? result.Values?.[0],
        status: result.StatusCode,
        messages: [...(before?.messages ?? []), ...texts(result.Messages)],
      });
    }
  } while (page.NextToken);
  for (const [id, answer] of answers) answers.set(id, { ...answer, messages: [...answer.messages, ...overall] });
  return answers;
}

const queryOf = (rule: MetricRule, index: number): MetricDataQuery => ({
  Id: idOf(index),
  MetricStat: {
    Metric: {
      Namespace: rule.namespace,
      MetricName: rule.metric,
      Dimensions: Object.entries(rule.dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    Period: rule.window / 1000,
    Stat: rule.statistic,
  },
});

const texts = (messages: GetMetricDataCommandOutput["Messages"]): string[] =>
  (messages ?? []).map(({ Code = "", Value = "" }) => oneLine(`${Code}: ${Value}`));

function judge(rule: MetricRule, answer: Answer | undefined): Glance {
  const said = answer?.messages.length ? `; AWS says: ${answer.messages.join("; ")}` : "";
  if (answer && answer.status !== "Complete" && answer.status !== undefined)
    return { standing: "blind", kind: answer.status, seen: `AWS answered ${answer.status}${said}` };
  if (answer?.newest === undefined) return { standing: "blind", kind: "no data", seen: `${lacking(rule)}${said}` };
  const right = compare[rule.comparison](answer.newest, rule.limit);
  const seen = `it is ${Number(answer.newest.toPrecision(6))}`;
  return right ? { standing: "right", kind: "holds", seen } : { standing: "wrong", kind: "does not hold", seen };
}

/** What was asked, whole: a dimension that differs by a letter is another metric, without data. */
function lacking({ namespace, metric, dimensions, window }: MetricRule): string {
  const of = Object.entries(dimensions).map(([name, value]) => `${name}=${value}`);
  return `no data point in ${window / MINUTE} minutes of ${namespace} ${metric}, dimensions ${of.join(", ") || "none"}`;
}

const compare: Readonly<Record<Comparison, (value: number, limit: number) => boolean>> = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "==": (value, limit) => value === limit,
  "!=": (value, limit) => value !== limit,
};
