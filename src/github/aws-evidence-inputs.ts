import type { MetricRule } from "../aws/metric-rule";
import { UserError } from "../user-error";
import type { InputReader } from "./input-reader";
import { alarmNames } from "./values/alarms";
import { type Ec2Filter, ec2Filters, instanceIds, region } from "./values/ec2";
import { metricRules } from "./values/metrics";

/** What of AWS must be healthy besides the URLs. */
export interface AwsEvidenceInputs {
  /** names, or `web-*` */
  readonly alarms: readonly string[];
  readonly metrics: readonly MetricRule[];
  readonly instances: { readonly ids: readonly string[] } | { readonly filters: readonly Ec2Filter[] };
  /** undefined = as the environment says */
  readonly region: string | undefined;
}

/** @returns undefined = AWS is asked for nothing */
export function awsEvidence(from: InputReader): AwsEvidenceInputs | undefined {
  const [byId, byFilter] = [!from.isBlank("instance-ids"), !from.isBlank("ec2-filters")];
  const asked = byId || byFilter || !from.isBlank("alarms") || !from.isBlank("metrics");
  from.check(() => {
    if (byId && byFilter) throw new UserError("instance-ids: ec2-filters is given, too; give one of the two.");
    if (!asked && !from.isBlank("aws-region"))
      throw new UserError(
        "aws-region: AWS is asked for nothing; give alarms, metrics, instance-ids or ec2-filters, or leave it out.",
      );
  });
  const ids = from.optional("instance-ids", instanceIds) ?? [];
  const filters = from.optional("ec2-filters", ec2Filters) ?? [];
  const evidence = {
    alarms: from.optional("alarms", alarmNames) ?? [],
    metrics: from.optional("metrics", metricRules(byId || byFilter)) ?? [],
    instances: byFilter ? { filters } : { ids },
    region: from.optional("aws-region", region),
  };
  return asked ? evidence : undefined;
}
