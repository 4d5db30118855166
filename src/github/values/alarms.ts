import { UserError } from "../../user-error";
import { items, type Parse } from "./parse";
import { shown } from "./shown";

const most = 100; // names of one DescribeAlarms call
const longest = 255; // characters of an alarm's name (CloudWatch API, PutMetricAlarm)

/**
 * Names of CloudWatch alarms, by comma or line; `web-*` = all whose names begin so. A name with a comma in it can be given
 * by the prefix before that.
 */
export const alarmNames: Parse<readonly string[]> = (input, text) => {
  const names = [...new Set(items(text))];
  if (names.length > most)
    throw new UserError(`${input}: got ${names.length} names; ${most} at most. Name several by a prefix: web-*.`);
  for (const name of names) {
    if (name === "*") throw new UserError(`${input}: "*" means every alarm there is; write a prefix, as in web-*.`);
    if (name.slice(0, -1).includes("*"))
      throw new UserError(`${input}: a * stands at the end of a name alone, as in web-*; got ${shown(name)}.`);
    if (name.startsWith("arn:"))
      throw new UserError(`${input}: expected an alarm's name, the part behind ":alarm:", got ${shown(name)}.`);
    if (name.length > longest || /\p{Cc}/u.test(name))
      throw new UserError(`${input}: an alarm's name has ${longest} characters at most, got ${shown(name)}.`);
  }
  return names;
};
