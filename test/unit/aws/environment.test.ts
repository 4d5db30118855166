import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mockClient } from "aws-sdk-client-mock";
import { parametersUnder, variablesOfSecrets } from "../../../src/aws/environment";
import type { Aws } from "../../../src/aws/session";
import { UserError } from "../../../src/user-error";
import type { Moto } from "../../bed/aws/moto";
import { startMoto, testAws } from "../../support/moto";

const SECRET = "s3cret-value";

/** The sentence that a person is told. It must never hold a secret's value. */
async function refusal(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message, stack, cause } = error as UserError;
  expect(`${message} ${stack} ${cause}`).not.toContain(SECRET);
  return message;
}

describe("as AWS has them", () => {
  let aws: Aws;
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    aws = await testAws();
  }, 60_000);
  afterAll(() => moto.stop());

  const parameter = (Name: string, Value = SECRET) =>
    aws.ssm.send(new PutParameterCommand({ Name, Value, Type: "SecureString" }));
  const secret = async (SecretString: string) => {
    const Name = `prod/${process.hrtime.bigint()}`;
    const { ARN = "" } = await aws.secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
    return { name: Name, arn: ARN };
  };

  test("takes every parameter below the path, over all pages, decrypted, and none beside it", async () => {
    const names = Array.from({ length: 23 }, (_, n) => `NAME_${n}`);
    await Promise.all(names.map((name) => parameter(`/shop/prod/${name}`, `line 1 of ${name}\nline 2`)));
    await parameter("/shop/production/OTHER");
    const wanted = Object.fromEntries(names.map((name) => [name, `line 1 of ${name}\nline 2`]));
    expect(await parametersUnder(aws, "/shop/prod")).toEqual(wanted);
  });

  test("says so when there is nothing under the path", async () => {
    expect(await refusal(parametersUnder(aws, "/shop/nothing"))).toMatch(
      /^env-ssm-path: there is no parameter under \/shop\/nothing in the region eu-west-1\. Check the path, aws-region/,
    );
  });

  const names: readonly [what: string, name: string, message: RegExp][] = [
    ["too deep", "db/url", /^env-ssm-path: \/wrong\/\w+\/db\/url is more than one level below \/wrong\/\w+\. Move it/],
    ["with a hyphen", "DB-URL", /^env-ssm-path: .*\/DB-URL: "DB-URL" can't be the name of a variable: .* Rename it\.$/],
    ["that begins with a digit", "1ST", /"1ST" can't be the name of a variable/],
  ];
  test.each(names)("refuses a parameter with a name %s", async (_what, name, message) => {
    const path = `/wrong/${process.hrtime.bigint()}`;
    await parameter(`${path}/RIGHT`);
    await parameter(`${path}/${name}`);
    expect(await refusal(parametersUnder(aws, path))).toMatch(message);
  });

  test("takes the keys of several secrets, by name or ARN, and later ones win", async () => {
    const first = await secret('{"URL": "first", "PORT": 5432, "TLS": true, "RATE": 0.5}');
    const second = await secret('{"URL": "second\\nline", "EMPTY": ""}');
    const found = await variablesOfSecrets(aws, [first.name, second.arn]);
    expect(found).toEqual({ URL: "second\nline", PORT: "5432", TLS: "true", RATE: "0.5", EMPTY: "" });
    expect(await variablesOfSecrets(aws, [second.arn, first.name])).toMatchObject({ URL: "first" });
  });

  test("loses no key, not even one that plain objects lose", async () => {
    const { name } = await secret('{"__proto__": "kept"}');
    expect(Object.entries(await variablesOfSecrets(aws, [name]))).toEqual([["__proto__", "kept"]]);
  });

  const contents: readonly [what: string, text: string, message: RegExp][] = [
    ["plain text", SECRET, /: it is no JSON object\. Store key\/value pairs/],
    ["torn JSON", `{"A": "${SECRET}`, /: it is no JSON object\./],
    ["a list", `["${SECRET}"]`, /: it is no JSON object\./],
    ["null", "null", /: it is no JSON object\./],
    ["no key", "{}", /: it has no key\./],
    ["an object in it", `{"A": {"B": "${SECRET}"}}`, /: the value of "A" is no text, number or boolean\. Write it/],
    ["null in it", '{"A": null}', /: the value of "A" is no text, number or boolean\./],
    ["a number that would change", '{"A": 12345678901234567890}', /: the value of "A" is a number of more digits/],
    ["a key that is no variable", `{"my key": "${SECRET}"}`, /: "my key" can't be the name of a variable/],
    ["a NUL", `{"A": "${SECRET}\\u0000"}`, /: the value of A holds a NUL character/],
  ];
  test.each(contents)("refuses a secret that holds %s, by its name alone", async (_what, text, message) => {
    const { name } = await secret(text);
    const said = await refusal(variablesOfSecrets(aws, [name]));
    expect(said).toMatch(message);
    expect(said).toContain(`env-secrets-manager: ${name}: `);
  });

  test("refuses a secret that is binary", async () => {
    const made = { Name: "prod/binary", SecretBinary: Buffer.from(SECRET) };
    await aws.secretsManager.send(new CreateSecretCommand(made));
    expect(await refusal(variablesOfSecrets(aws, ["prod/binary"]))).toMatch(/prod\/binary: it is binary\./);
  });

  test("names the secret that is not there, and the region that was asked", async () => {
    expect(await refusal(variablesOfSecrets(aws, ["prod/gone"]))).toMatch(
      /^env-secrets-manager: prod\/gone: there is no such secret in the region eu-west-1/,
    );
  });
});

test("names the secret that the role may not read, or whose key it may not use", async () => {
  const aws = await testAws();
  const manager = mockClient(SecretsManagerClient);
  const fails = (name: string) => Object.assign(new Error(`no: ${name}`), { name });
  for (const code of ["AccessDeniedException", "DecryptionFailure"]) {
    manager.on(GetSecretValueCommand).rejects(fails(code));
    const said = await refusal(variablesOfSecrets(aws, ["prod/locked"]));
    expect(said).toMatch(/^env-secrets-manager: prod\/locked: secretsmanager:GetSecretValue: /);
    expect(said).toContain(code);
  }
  manager.restore();
});
