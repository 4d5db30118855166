import { forInstances, type MetricRule, parseMetricRule } from "../../aws/metric-rule";
import { UserError } from "../../user-error";
import { lines, type Parse } from "./parse";

const mostRules = 50;

/** Comparisons such as `AVG(CPUUtilization) < 80`, one a line. @param instances whether a metric of AWS/EC2 may leave its instance out */
export const metricRules =
  (instances: boolean): Parse<readonly MetricRule[]> =>
  (input, text) => {
    const given = lines(text);
    if (given.length > mostRules)
      throw new UserError(`${input}: got ${given.length} lines; at most ${mostRules} are checked.`);
    return given.map((line) => {
      const where = `${input}: line ${line.number}`;
      const rule = parseMetricRule(where, line.text);
      if (!instances) forInstances(where, rule, []); // it throws where one is needed
      return rule;
    });
  };
