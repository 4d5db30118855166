import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ProxiedHandler } from "../../../src/aws/proxied-handler";
import { openAws } from "../../../src/aws/session";
import { UserError } from "../../../src/user-error";
import { playedEnvironment, testAws } from "../../support/moto";
import { freePort, httpServer, listening, stopServers, tcpServer } from "../../support/servers";

const run = promisify(execFile);
const root = join(__dirname, "../../..");

const NONE = `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r-1</requestId><reservationSet/></DescribeInstancesResponse>`;
const SLOWER = `<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>r-2</RequestID></Response>`;

const regionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const;

beforeEach(() => {
  for (const name of regionVariables) delete process.env[name];
  playedEnvironment("http://127.0.0.1:1");
});
afterEach(stopServers);

const straight = { proxyOf: () => undefined };
const ask = async () => {
  const aws = await testAws();
  return aws.call("ec2:DescribeInstances", () => aws.ec2.send(new DescribeInstancesCommand({})));
};

/**
 * Asks from a process of its own: Jest loads no ES module, which https-proxy-agent is, and an error of Node's core is
 * none of its own realm's for the SDK.
 */
const elsewhere = async (...proxy: string[]): Promise<string> => {
  const args = ["--import", "tsx", join(__dirname, "ask-ec2.mts"), ...proxy];
  return (await run(process.execPath, args, { cwd: root, env: process.env })).stdout;
};

const regions: readonly [what: string, region: string | undefined, env: Record<string, string>, found: string][] = [
  ["aws-region", "eu-west-1", { AWS_REGION: "us-east-1" }, "eu-west-1"],
  ["AWS_REGION when aws-region is blank", "", { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "x-1" }, "us-east-1"],
  ["AWS_DEFAULT_REGION when nothing else says one", undefined, { AWS_DEFAULT_REGION: "us-west-2" }, "us-west-2"],
];
test.each(regions)("asks the region of %s", async (_, region, env, found) => {
  Object.assign(process.env, env);
  const aws = await openAws({ region, ...straight });
  expect([aws.region, await aws.ec2.config.region(), await aws.ssm.config.region()]).toEqual([found, found, found]);
});

test("names aws-region when nothing says where to ask", async () => {
  const opening = openAws({ region: undefined, ...straight });
  await expect(opening).rejects.toThrow(UserError);
  await expect(opening).rejects.toThrow(/^aws-region: .*Set aws-region, for example to eu-west-1\.$/);
});

test("refuses a region that is no name", async () => {
  await expect(openAws({ region: "eu west/1", ...straight })).rejects.toThrow(/^aws-region: .*eu west\/1/);
});

test("asks again when AWS is throttling, and gets the answer", async () => {
  const { place, requests } = await httpServer((_, response, index) => {
    response.writeHead(index < 2 ? 503 : 200, { "content-type": "text/xml" }).end(index < 2 ? SLOWER : NONE);
  });
  playedEnvironment(`http://${place}`);
  expect((await ask()).Reservations).toEqual([]);
  expect(requests).toHaveLength(3);
});

test("says what was asked and why when AWS refuses for good", async () => {
  const { place } = await httpServer((_, response) =>
    response.writeHead(400, { "x-amzn-requestid": "r-2" }).end(SLOWER.replace("RequestLimit", "Quota")),
  );
  playedEnvironment(`http://${place}`);
  await expect(ask()).rejects.toThrow("ec2:DescribeInstances: QuotaExceeded: Request limit exceeded. (request r-2)");
});

test("says that an endpoint can't be reached, and where to look", async () => {
  playedEnvironment(`http://127.0.0.1:${await freePort()}`);
  expect(await elsewhere()).toMatch(
    /^UserError: .* can't be reached in the region eu-west-1 \(ECONNREFUSED.*HTTPS_PROXY/,
  );
});

test("gives a silent endpoint its time, and says then that it was silent", async () => {
  const { place } = await tcpServer(() => {});
  playedEnvironment(`http://${place}`);
  const requestHandler = new ProxiedHandler(() => undefined, { connectionTimeout: 1_000, requestTimeout: 50 });
  const client = new EC2Client({ region: "eu-west-1", maxAttempts: 1, requestHandler });
  const aws = await testAws();
  const asking = aws.call("ec2:DescribeInstances", () => client.send(new DescribeInstancesCommand({})));
  await expect(asking).rejects.toThrow(/can't be reached in the region eu-west-1 \(ETIMEDOUT: .*50 ms/);
});

test("says to configure credentials when there are none", async () => {
  delete process.env.AWS_ACCESS_KEY_ID;
  await expect(ask()).rejects.toThrow(
    /^ec2:DescribeInstances: .*aws-actions\/configure-aws-credentials.*id-token: write/,
  );
});

test("tells each call with its time for the debug log", async () => {
  const { place } = await httpServer((_, response) => response.end(NONE));
  playedEnvironment(`http://${place}`);
  const lines: string[] = [];
  const aws = await openAws({ region: "eu-west-1", ...straight, debug: (line) => lines.push(line) });
  await aws.call("ec2:DescribeInstances", () => aws.ec2.send(new DescribeInstancesCommand({})));
  expect(lines).toEqual([expect.stringMatching(/^ec2:DescribeInstances in eu-west-1: done, \d+ ms$/)]);
});

test("passes on what is wrong with the runner's proxy", async () => {
  const proxyOf = () => {
    throw new UserError("HTTPS_PROXY: what this runner's variable holds is no URL.");
  };
  const aws = await openAws({ region: "eu-west-1", proxyOf });
  const asking = aws.call("ec2:DescribeInstances", () => aws.ec2.send(new DescribeInstancesCommand({})));
  await expect(asking).rejects.toThrow(/^HTTPS_PROXY: what this runner's variable holds is no URL\.$/);
});

/** A proxy that finds every name at `port` of this machine, or refuses with `status`. */
async function proxyTo(port: number, status?: number): Promise<{ place: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer().on("connect", (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"]?.replace("Basic ", "")}`);
    socket.on("error", () => {});
    if (status) return void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    const through = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      through.pipe(socket).pipe(through);
    });
    through.on("error", () => socket.destroy());
  });
  return { ...(await listening(server)), asked };
}

test("goes through the runner's proxy, with its login", async () => {
  const aws = await httpServer((_, response) => response.end(NONE));
  const { place, asked } = await proxyTo(aws.port);
  playedEnvironment("http://ec2.aws.test");
  expect(await elsewhere(`http://user:p%40ss@${place}`)).toBe("0 reservations");
  expect(asked).toEqual([`CONNECT ec2.aws.test:80 ${Buffer.from("user:p@ss").toString("base64")}`]);
});

test("says so when the runner's proxy wants a login", async () => {
  const { place } = await proxyTo(1, 407);
  playedEnvironment("http://ec2.aws.test");
  expect(await elsewhere(`http://${place}`)).toMatch(
    /^UserError: ec2:DescribeInstances: the runner's proxy wants a user/,
  );
});
