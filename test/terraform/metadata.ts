// The metadata service of an instance, version 2 alone: without a token it answers nothing.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const token = "a-token-of-the-tests";
const role = {
  Code: "Success",
  AccessKeyId: "ASIATESTONLY",
  SecretAccessKey: "a-secret-of-the-tests",
  Token: "a-session-of-the-tests",
  Expiration: "2100-01-01T00:00:00Z",
};

export interface Metadata {
  /** As AWS_EC2_METADATA_SERVICE_ENDPOINT has it, with the slash at its end. */
  readonly endpoint: string;
  end(): void;
}

export async function startMetadata(instance: { readonly id: string; readonly region: string }): Promise<Metadata> {
  const answers: Readonly<Record<string, string>> = {
    "instance-id": instance.id,
    "placement/region": instance.region,
    "placement/availability-zone": `${instance.region}a`,
    "iam/security-credentials/": "host",
    "iam/security-credentials/host": JSON.stringify(role),
  };
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.method === "PUT" && path === "/latest/api/token") response.end(token);
    else if (request.headers["x-aws-ec2-metadata-token"] !== token) response.writeHead(401).end();
    else {
      const answer = answers[path.replace(/^\/latest\/meta-data\//, "")];
      response.writeHead(answer === undefined ? 404 : 200).end(answer);
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}/`, end: () => server.close() };
}
