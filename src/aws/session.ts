import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { EC2Client, type EC2ClientConfig } from "@aws-sdk/client-ec2";
import { EC2InstanceConnectClient } from "@aws-sdk/client-ec2-instance-connect";
import { ECRClient } from "@aws-sdk/client-ecr";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SSMClient } from "@aws-sdk/client-ssm";
import { awsFailure } from "./failure";
import { ProxiedHandler, type ProxyOf } from "./proxied-handler";

export interface AwsOptions {
  /** `aws-region`; undefined or '' = the environment's, as the AWS command line finds it */
  readonly region: string | undefined;
  readonly proxyOf: ProxyOf;
  readonly debug?: (line: string) => void;
}

/** What every client is made with. */
type Common = Required<Pick<EC2ClientConfig, "retryMode" | "maxAttempts">> & {
  readonly requestHandler: ProxiedHandler;
};

/** AWS in one region, with the credentials that the SDK finds. A client is made when it is first asked for. */
export class Aws {
  readonly #clients = new Map<unknown, unknown>();

  constructor(
    readonly region: string,
    private readonly common: Common,
    private readonly debug: (line: string) => void,
  ) {}

  get ec2(): EC2Client {
    return this.#client(EC2Client);
  }
  get ssm(): SSMClient {
    return this.#client(SSMClient);
  }
  get instanceConnect(): EC2InstanceConnectClient {
    return this.#client(EC2InstanceConnectClient);
  }
  get ecr(): ECRClient {
    return this.#client(ECRClient);
  }
  get secretsManager(): SecretsManagerClient {
    return this.#client(SecretsManagerClient);
  }
  get cloudWatch(): CloudWatchClient {
    return this.#client(CloudWatchClient);
  }

  /**
   * Every call to AWS goes through here: its failure gets a sentence for a person.
   *
   * @param action the IAM action that it needs, "ec2:DescribeInstances"
   * @throws {AwsFailure}
   */
  async call<Answer>(action: string, send: () => Promise<Answer>): Promise<Answer> {
    const startedAt = performance.now();
    let outcome = "done";
    try {
      return await send();
    } catch (cause) {
      outcome = (cause as Error)?.name;
      throw awsFailure(action, this.region, cause);
    } finally {
      this.debug(`${action} in ${this.region}: ${outcome}, ${Math.round(performance.now() - startedAt)} ms`);
    }
  }

  close(): void {
    this.common.requestHandler.destroy();
  }

  #client<Client>(Kind: new (config: Common & { region: string }) => Client): Client {
    const client = (this.#clients.get(Kind) as Client | undefined) ?? new Kind({ ...this.common, region: this.region });
    this.#clients.set(Kind, client);
    return client;
  }
}

/**
 * Finds the region; credentials are looked for at the first call. `AWS_ENDPOINT_URL` and its like are the SDK's own.
 *
 * @throws {UserError} when there is no region
 */
export async function openAws({ region, proxyOf, debug = () => {} }: AwsOptions): Promise<Aws> {
  const common: Common = { retryMode: "standard", maxAttempts: 5, requestHandler: new ProxiedHandler(proxyOf) };
  // The SDK for JavaScript knows AWS_REGION and the shared files; the command line takes AWS_DEFAULT_REGION, too.
  const named = region || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
  try {
    const found = new EC2Client({ ...common, ...(named ? { region: named } : {}) });
    return new Aws(await found.config.region(), common, debug);
  } catch (cause) {
    throw awsFailure("aws-region", named, cause);
  }
}
