import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { type Parameter, paginateGetParametersByPath } from "@aws-sdk/client-ssm";
import { UserError } from "../user-error";
import { AwsFailure } from "./failure";
import type { Aws } from "./session";

/** Variables by name. Their values are secrets: no error repeats one. */
export type Env = Readonly<Record<string, string>>;

type Variable = readonly [name: string, value: string];

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/; // POSIX, 8.1; what every shell can read

/**
 * The parameters right below a path of SSM Parameter Store, decrypted: `/shop/prod/DATABASE_URL` under `/shop/prod` is
 * DATABASE_URL.
 *
 * @param path without a slash at its end
 * @throws {UserError} when there are none, and for a name that is no variable's
 */
export async function parametersUnder(aws: Aws, path: string): Promise<Env> {
  const found = await allUnder(aws, path);
  if (found.length > 0) return Object.fromEntries(found.map((parameter) => variableOf(path, parameter)));
  throw new UserError(
    `env-ssm-path: there is no parameter under ${path} in the region ${aws.region}. Check the path, aws-region, and which account the credentials are for.`,
  );
}

/** Recursive, so that a name which is too deep is told and not left out in silence. */
const allUnder = (aws: Aws, path: string): Promise<Parameter[]> =>
  aws
    .call("ssm:GetParametersByPath", async () => {
      const found: Parameter[] = [];
      const asked = { Path: path, Recursive: true, WithDecryption: true };
      for await (const page of paginateGetParametersByPath({ client: aws.ssm, stopOnSameToken: true }, asked))
        found.push(...(page.Parameters ?? []));
      return found;
    })
    .catch((failure) => {
      throw about(`env-ssm-path: ${path}`, failure);
    });

function variableOf(path: string, { Name = "", Value = "" }: Parameter): Variable {
  const name = Name.slice(path.length + 1);
  if (name.includes("/"))
    throw new UserError(
      `env-ssm-path: ${Name} is more than one level below ${path}. Move it, or give the path that it is right below.`,
    );
  return checked(`env-ssm-path: ${Name}`, name, Value);
}

/**
 * The keys of secrets that hold a JSON object of texts, numbers and booleans, as Secrets Manager's console writes it. Of
 * a key that several have, the last secret's value counts.
 *
 * @param ids names or ARNs
 * @throws {UserError} when one is not there or holds anything else
 */
export async function variablesOfSecrets(aws: Aws, ids: readonly string[]): Promise<Env> {
  return Object.fromEntries((await Promise.all(ids.map((id) => variablesOf(aws, id)))).flat());
}

async function variablesOf(aws: Aws, id: string): Promise<Variable[]> {
  const answer = await aws
    .call("secretsmanager:GetSecretValue", () => aws.secretsManager.send(new GetSecretValueCommand({ SecretId: id })))
    .catch((failure) => {
      throw secretFailure(aws, id, failure);
    });
  const entries = Object.entries(objectIn(id, answer.SecretString));
  return entries.map(([key, value]) => checked(of(id), key, scalarText(id, key, value)));
}

const of = (id: string): string => `env-secrets-manager: ${id}`;

function secretFailure(aws: Aws, id: string, failure: unknown): unknown {
  if (!(failure instanceof AwsFailure) || failure.code !== "ResourceNotFoundException") return about(of(id), failure);
  return new UserError(
    `${of(id)}: there is no such secret in the region ${aws.region}, or it has no value. Check its name, aws-region, and which account the credentials are for.`,
    { cause: failure },
  );
}

/** The errors of JSON.parse quote the text: they are not passed on. */
function objectIn(id: string, text: string | undefined): object {
  if (text === undefined) throw new UserError(`${of(id)}: it is binary. ${WANTED}`);
  const value = jsonOf(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UserError(`${of(id)}: it is no JSON object. ${WANTED}`);
  if (Object.keys(value).length === 0) throw new UserError(`${of(id)}: it has no key. ${WANTED}`);
  return value;
}

const WANTED = 'Store key/value pairs: a JSON object such as {"DATABASE_URL": "..."}.';

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function scalarText(id: string, key: string, value: unknown): string {
  const inexact = Number.isInteger(value) && !Number.isSafeInteger(value); // it would arrive as another number
  if (/^(string|number|boolean)$/.test(typeof value) && !inexact) return String(value);
  const what = inexact ? "a number of more digits than a number holds" : "no text, number or boolean";
  throw new UserError(`${of(id)}: the value of ${JSON.stringify(key)} is ${what}. Write it as a text, in quotes.`);
}

function checked(from: string, name: string, value: string): Variable {
  if (!VARIABLE.test(name))
    throw new UserError(
      `${from}: ${JSON.stringify(name)} can't be the name of a variable: letters, digits and underscores, and no digit first. Rename it.`,
    );
  if (value.includes("\0"))
    throw new UserError(`${from}: the value of ${name} holds a NUL character, which no environment can.`);
  return [name, value];
}

const about = (subject: string, failure: unknown): unknown =>
  failure instanceof AwsFailure ? failure.about(subject) : failure;
