// All that an account of moto holds, asked of each service by its own list and not by what Terraform knows.

/**
 * What each service lists, by its name in a signature: query actions, or JSON targets. Network ACLs and interfaces are left out:
 * AWS makes and removes them with a VPC and an instance, and moto leaves them there.
 */
const queries: Readonly<Record<string, readonly string[]>> = {
  ec2: [
    ...["Vpcs", "Subnets", "InternetGateways", "RouteTables", "SecurityGroups", "SecurityGroupRules"],
    ...["Addresses", "Volumes", "KeyPairs", "FlowLogs"],
  ].map((what) => `Describe${what}`),
  iam: ["ListRoles", "ListInstanceProfiles", "ListOpenIDConnectProviders", "ListPolicies&Scope=Local"],
  monitoring: ["DescribeAlarms", "ListDashboards"],
  sns: ["ListTopics", "ListSubscriptions"],
};
const targets: Readonly<Record<string, string>> = {
  logs: "Logs_20140328.DescribeLogGroups",
  dynamodb: "DynamoDB_20120810.ListTables",
};
/** An instance is listed for an hour after it is gone. */
const instances = ["pending", "running", "stopping", "stopped"]
  .map((state, index) => `&Filter.1.Value.${index + 1}=${state}`)
  .join("");

const versions: Readonly<Record<string, string>> = { ec2: "2016-11-15", iam: "2010-05-08", sns: "2010-03-31" };

interface Alias {
  readonly AliasName: string;
  readonly TargetKeyId?: string;
}
const isAmazons = ({ AliasName }: Alias): boolean => AliasName.startsWith("alias/aws/");

export class Account {
  constructor(private readonly endpoint: string) {}

  /** By service and list, a line an element; two can be compared. What was volatile in an answer is left out. */
  async inventory(): Promise<Readonly<Record<string, readonly string[]>>> {
    const asked = Object.entries(queries).flatMap(([service, actions]) => actions.map((action) => [service, action]));
    const found: Record<string, readonly string[]> = {};
    for (const [service = "", action = ""] of [
      ...asked,
      ["ec2", `DescribeInstances&Filter.1.Name=instance-state-name${instances}`],
    ])
      found[`${service} ${action}`] = elements(await this.query(service, action));
    for (const [service, target] of Object.entries(targets))
      found[`${service} ${target}`] = JSON.stringify(await this.json(service, target), null, 1).split("\n");
    found.s3 = elements(await this.#ask("s3", "/", { method: "GET" }));
    const aliases = await this.#aliases();
    found.kms = aliases.filter((alias) => !isAmazons(alias)).map(({ AliasName }) => AliasName);
    return found;
  }

  /** The states of the keys that are the account's own. AWS makes its own ones when they are first needed. */
  async keyStates(): Promise<readonly string[]> {
    const amazons = (await this.#aliases()).filter(isAmazons).map(({ TargetKeyId }) => TargetKeyId);
    const { Keys } = await this.json<{ Keys: readonly { KeyId: string }[] }>("kms", "TrentService.ListKeys");
    const states: string[] = [];
    for (const { KeyId } of Keys.filter((key) => !amazons.includes(key.KeyId))) {
      type Described = { KeyMetadata: { KeyState: string } };
      states.push((await this.json<Described>("kms", "TrentService.DescribeKey", { KeyId })).KeyMetadata.KeyState);
    }
    return states;
  }

  query(service: string, action: string): Promise<string> {
    const body = `Action=${action}&Version=${versions[service] ?? "2010-08-01"}`;
    return this.#ask(service, "/", {
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  }

  async json<T = unknown>(service: string, target: string, input: object = {}): Promise<T> {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
    return JSON.parse(await this.#ask(service, "/", { method: "POST", body: JSON.stringify(input), headers })) as T;
  }

  async putObject(bucket: string, key: string, body: string): Promise<void> {
    await this.#ask("s3", `/${bucket}/${key}`, { method: "PUT", body });
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#ask("s3", `/${bucket}/${key}`, { method: "DELETE" });
  }

  /** For a bucket that Terraform shall remove: moto breaks off at a deleted lock's marker once versions are no longer made. */
  async removeMarkers(bucket: string): Promise<void> {
    const listed = await this.#ask("s3", `/${bucket}?versions`, { method: "GET" });
    for (const [marker] of listed.matchAll(/<DeleteMarker>.*?<\/DeleteMarker>/gs)) {
      const [, key = ""] = /<Key>(.*?)<\/Key>/.exec(marker) ?? [];
      const [, version = ""] = /<VersionId>(.*?)<\/VersionId>/.exec(marker) ?? [];
      await this.deleteObject(bucket, `${key}?versionId=${version}`);
    }
  }

  async #aliases(): Promise<readonly Alias[]> {
    const { Aliases } = await this.json<{ Aliases: readonly Alias[] }>("kms", "TrentService.ListAliases");
    return Aliases;
  }

  /** moto looks for the service in a signature, and does not check it. */
  async #ask(service: string, path: string, { headers, ...request }: RequestInit): Promise<string> {
    const scope = `Credential=AKIATESTONLY/20260101/us-east-1/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=none`;
    const answer = await fetch(`${this.endpoint}${path}`, { ...request, headers: { ...headers, authorization } });
    if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${await answer.text()}`);
    return answer.text();
  }
}

const elements = (xml: string): readonly string[] =>
  xml
    .replaceAll(/<(requestId|RequestId|availableIpAddressCount)>[^<]*<\/\1>/g, "")
    .replaceAll("><", ">\n<")
    .split("\n");
