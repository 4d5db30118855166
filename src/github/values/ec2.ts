import { UserError } from "../../user-error";
import { items, lines, type Parse } from "./parse";
import { matching } from "./scalars";
import { shown } from "./shown";

/** One filter of DescribeInstances: an instance must have one of the values. */
export interface Ec2Filter {
  /** `tag:KEY`, or a name of the API's own, such as `availability-zone` */
  readonly name: string;
  /** one at least; `*` and `?` stand for any characters */
  readonly values: readonly string[];
}

const instanceId = /^i-[0-9a-f]{8,17}$/;
export const isInstanceId = (text: string): boolean => instanceId.test(text);

const mostInstances = 100; // ids of one DescribeInstanceStatus call

/** Ids of instances, by comma or line. */
export const instanceIds: Parse<readonly string[]> = (input, text) => {
  const ids = [...new Set(items(text))];
  const wrong = ids.find((id) => !isInstanceId(id));
  if (wrong !== undefined)
    throw new UserError(`${input}: expected ids of instances such as i-0123456789abcdef0, got ${shown(wrong)}.`);
  if (ids.length > mostInstances)
    throw new UserError(`${input}: got ${ids.length} ids; name ${mostInstances} at most.`);
  return ids;
};

const mostFilters = 50; // of DescribeInstances; and 200 values in all
const mostValues = 200;

/** Lines `NAME=VALUE` or `NAME=VALUE,VALUE`, as `aws ec2 describe-instances --filters` knows them. An instance must fit all. */
export const ec2Filters: Parse<readonly Ec2Filter[]> = (input, text) => {
  const filters = lines(text).map((line) => filter(input, line.text));
  const values = filters.reduce((sum, { values }) => sum + values.length, 0);
  if (filters.length > mostFilters || values > mostValues)
    throw new UserError(
      `${input}: got ${filters.length} filters with ${values} values; AWS takes ${mostFilters} and ${mostValues} at most.`,
    );
  return filters;
};

function filter(input: string, text: string): Ec2Filter {
  const [, name = "", all = ""] = /^(tag:[^=]{1,128}|[a-z][a-z0-9.-]{0,100})\s*=\s*(.+)$/.exec(text) ?? [];
  const values = all
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  if (name === "" || values.length === 0)
    throw new UserError(`${input}: expected lines such as tag:Name=web or tag:Env=staging,test, got ${shown(text)}.`);
  if (name === "instance-state-name")
    throw new UserError(`${input}: leave instance-state-name out; only running instances are taken.`);
  return { name: name.trim(), values };
}

export const securityGroup = matching(
  /^sg-[0-9a-f]{8,17}$/,
  "the id of a security group, such as sg-0123456789abcdef0",
);

export const region = matching(/^[a-z]{2,4}(-[a-z]+){1,3}-\d{1,2}$/, "a region such as us-east-1");
