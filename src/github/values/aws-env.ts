import { UserError } from "../../user-error";
import { items, type Parse } from "./parse";
import { shown } from "./shown";

/** A path of SSM Parameter Store, returned without a slash at its end. The root is none: it would be everything. */
export const parameterPath: Parse<string> = (name, text) => {
  const path = text.replace(/\/$/, "");
  if (/^(\/[a-zA-Z0-9_.-]+)+$/.test(path)) return path;
  throw new UserError(`${name}: expected a path of SSM Parameter Store such as /shop/prod, got ${shown(text)}.`);
};

const secretId = /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[a-zA-Z0-9/_+=.@!-]{1,512}$/; // rds!db-...: those that a service manages

/** Names or ARNs of secrets in Secrets Manager, by comma or line. */
export const secretIds: Parse<readonly string[]> = (name, text) => {
  const ids = items(text);
  const wrong = ids.find((id) => !secretId.test(id));
  if (wrong === undefined) return ids;
  throw new UserError(`${name}: expected names or ARNs of secrets, by comma or line, got ${shown(wrong)}.`);
};
