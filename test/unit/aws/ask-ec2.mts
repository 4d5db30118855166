// Asks EC2 and prints what came of it.
// Usage: node --import tsx ask-ec2.mts [PROXY_URL] (the endpoint is in AWS_ENDPOINT_URL)
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { openAws } from "../../../src/aws/session";

async function main(proxy: string | undefined): Promise<void> {
  const aws = await openAws({ region: "eu-west-1", proxyOf: () => (proxy ? new URL(proxy) : undefined) });
  const asked = aws.call("ec2:DescribeInstances", () => aws.ec2.send(new DescribeInstancesCommand({})));
  process.stdout.write(await asked.then(({ Reservations }) => `${Reservations?.length} reservations`, String));
  aws.close();
}

void main(process.argv[2]);
