import { UserError } from "../user-error";

export type Comparison = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** `AVG(AWS/EC2 CPUUtilization InstanceId=i-0abc, 5m) < 80`, checked. */
export interface MetricRule {
  /** as it was written, the instance filled in */
  readonly text: string;
  /** GetMetricData's word for it: Average, SampleCount, p99.9 */
  readonly statistic: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** milliseconds */
  readonly window: number;
  readonly comparison: Comparison;
  readonly limit: number;
}

const EC2 = "AWS/EC2";
const MINUTE = 60_000;
const DEFAULT_WINDOW = "5m"; // one period of an instance without detailed monitoring
const MOST_DIMENSIONS = 30; // of a metric in CloudWatch

const statistics: Readonly<Record<string, string>> = {
  AVG: "Average",
  MIN: "Minimum",
  MAX: "Maximum",
  SUM: "Sum",
  COUNT: "SampleCount",
};

/**
 * `STATISTIC([namespace] metric [Dimension=value ...][, window]) comparison number`. A word with spaces, commas or
 * parentheses goes in double quotes. Without a namespace it is AWS/EC2's.
 * @throws {UserError} that begins with `where`
 */
export function parseMetricRule(where: string, text: string): MetricRule {
  const shape = /^([a-z][a-z0-9.]*)\s*\(((?:"[^"]*"|[^"()])*)\)\s*(\S*?)\s*(-?[0-9.][^\s<>=!]*|)$/i.exec(text.trim());
  if (!shape)
    throw new UserError(`${where} is no comparison; write AVG(CPUUtilization) < 80, got ${JSON.stringify(text)}.`);
  const [, statistic = "", asked = "", comparison = "", limit = ""] = shape;
  const { words, dimensions, window } = parseAsked(where, asked);
  const [metric = "", namespace = EC2] = words.reverse();
  return {
    text: text.trim(),
    statistic: parseStatistic(where, statistic),
    namespace,
    metric,
    dimensions,
    window: parseWindow(where, window),
    comparison: parseComparison(where, comparison),
    limit: parseLimit(where, limit),
  };
}

interface Asked {
  readonly words: string[];
  readonly dimensions: Record<string, string>;
  readonly window: string;
}

function parseAsked(where: string, asked: string): Asked {
  const [, what = "", window = DEFAULT_WINDOW] = /^((?:"[^"]*"|[^",])*)(?:,\s*(.*?)\s*)?$/.exec(asked) ?? [];
  const words: string[] = [];
  const dimensions = new Map<string, string>();
  for (const [part] of what.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
    const [, name, value] = /^((?:"[^"]*"|[^"=])+)=(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) words.push(unquoted(part));
    else dimensions.set(unquoted(name), unquoted(value));
  }
  if (words.length < 1 || words.length > 2 || words.includes(""))
    throw new UserError(
      `${where}: expected a metric in the parentheses, or a namespace and a metric, as in AVG(AWS/EC2 CPUUtilization), ` +
        `got ${JSON.stringify(asked)}. A name with spaces goes in double quotes.`,
    );
  if (dimensions.size > MOST_DIMENSIONS)
    throw new UserError(`${where}: got ${dimensions.size} dimensions; a metric has at most ${MOST_DIMENSIONS}.`);
  return { words, dimensions: Object.fromEntries(dimensions), window };
}

const unquoted = (text: string): string => text.replaceAll('"', "");

function parseStatistic(where: string, text: string): string {
  const known = statistics[text.toUpperCase()];
  if (known !== undefined) return known;
  const [, percentile] = /^p(\d{1,2}(?:\.\d)?)$/i.exec(text) ?? [];
  if (percentile !== undefined && Number(percentile) > 0) return `p${percentile}`;
  throw new UserError(
    `${where}: expected AVG, MIN, MAX, SUM, COUNT or a percentile such as P95 or P99.9, got ${JSON.stringify(text)}.`,
  );
}

function parseWindow(where: string, text: string): number {
  const [, amount, unit] = /^(\d{1,4})(m|h)$/.exec(text) ?? [];
  const window = Number(amount) * (unit === "h" ? 60 : 1) * MINUTE;
  if (window >= MINUTE && window <= 24 * 60 * MINUTE) return window;
  throw new UserError(`${where}: expected a window from 1m to 24h in whole minutes, got ${JSON.stringify(text)}.`);
}

function parseComparison(where: string, text: string): Comparison {
  const known = (["<", "<=", ">", ">=", "==", "!="] as const).find((one) => one === text);
  if (known) return known;
  throw new UserError(`${where}: expected <, <=, >, >=, == or != behind the parentheses, got ${JSON.stringify(text)}.`);
}

function parseLimit(where: string, text: string): number {
  if (/^-?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  throw new UserError(`${where}: expected a number to compare with, got ${JSON.stringify(text)}.`);
}

/**
 * A metric of AWS/EC2 without a dimension is asked of each of these instances; any other is asked as it was written.
 * @throws {UserError} when it is left without an instance
 */
export function forInstances(where: string, rule: MetricRule, instances: readonly string[]): MetricRule[] {
  if (rule.namespace !== EC2 || Object.keys(rule.dimensions).length > 0) return [rule];
  if (instances.length === 0)
    throw new UserError(
      `${where}: ${rule.metric} is of which instance? Set instance-ids or ec2-filters, or write InstanceId=i-... behind it.`,
    );
  return instances.map((InstanceId) => ({
    ...rule,
    text: rule.text.replace(/\s*(,[^,]*)?\)(?=[^)]*$)/, ` InstanceId=${InstanceId}$&`),
    dimensions: { InstanceId },
  }));
}
