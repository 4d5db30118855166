import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import ssh2, { type AuthContext, type Connection as Client, type ServerChannel } from "ssh2";
import { type Access, Connection, ConnectionLost } from "../../../src/host/connection";
import { fingerprint, hostKeyTrust } from "../../../src/host/known-hosts";
import { UserError } from "../../../src/user-error";
import { ed25519 } from "../../support/ssh-keys";
import { until } from "./guard/until";

jest.setTimeout(30_000);
const HOST_KEY = ed25519();
const OTHER_HOST_KEY = ed25519();
const ECDSA = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
const USER_KEY = ed25519();
const STRANGER = ed25519();
const blob = (key: string) => Buffer.from(key.split(" ")[1] ?? "", "base64");

let sshd: ssh2.Server;
let port: number;
let servers: TcpServer[];
let clients: Client[];
/** every user name that somebody tried to get in by */
let attempts: string[];
let onExec: (accept: () => ServerChannel, command: string) => void;

function authenticate(context: AuthContext): void {
  attempts.push(`${context.username} ${context.method}`);
  const known = context.method === "publickey" && context.key.data.equals(blob(USER_KEY.public));
  if (known && context.username === "ec2-user") context.accept();
  else context.reject(["publickey"]);
}

function serve(client: Client): void {
  clients.push(client);
  client.on("error", () => {});
  client.on("authentication", authenticate);
  client.on("session", (accept) => {
    accept().on("exec", (take, _reject, { command }) => onExec(take, command));
  });
}

beforeEach(async () => {
  [clients, attempts, servers] = [[], [], []];
  onExec = (accept, command) => {
    const channel = accept();
    channel.write(command);
    channel.exit(0);
    channel.end();
  };
  sshd = new ssh2.Server({ hostKeys: [HOST_KEY.private] }, serve);
  port = await listen(sshd as unknown as TcpServer);
});
afterEach(() => {
  for (const client of clients) client.end();
  for (const server of servers) server.close();
});

async function listen(server: TcpServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

const access = (changes: Partial<Access> & { knownHosts?: string } = {}): Access => ({
  address: "127.0.0.1",
  port,
  user: "ec2-user",
  privateKey: USER_KEY.private,
  passphrase: "",
  keyWasSent: false,
  trust: hostKeyTrust(changes.knownHosts ?? HOST_KEY.public, "127.0.0.1", changes.port ?? port),
  connectTimeout: 10_000,
  ...changes,
});

async function refusal(changes: Parameters<typeof access>[0]): Promise<string> {
  const error = await Connection.open(access(changes)).then(
    (connection) => connection.close(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
}

test("runs a command over a connection to the host that was meant", async () => {
  const connection = await Connection.open(access());
  const channel = await connection.exec("docker system dial-stdio");
  let said = "";
  for await (const chunk of channel) said += chunk;
  expect([said, connection.name, connection.over]).toEqual(["docker system dial-stdio", "127.0.0.1", false]);
  connection.close();
  await connection.closed;
  expect(connection.over).toBe(true);
});

const showed = (what: string) =>
  `127.0.0.1 port ${port}: the host showed the key ${fingerprint(blob(HOST_KEY.public))}, which is ${what} in ssh-known-hosts. Nothing was sent to it. ` +
  "If the instance was replaced, read its new key on the instance (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and update ssh-known-hosts; else somebody may stand between.";

test("sends nothing to a host that shows another key", async () => {
  expect(await refusal({ knownHosts: OTHER_HOST_KEY.public })).toBe(showed("not the one"));
  expect(attempts).toEqual([]);
});

test("sends nothing to a host whose fingerprint is another", async () => {
  expect(await refusal({ knownHosts: fingerprint(blob(OTHER_HOST_KEY.public)) })).toBe(showed("not the one"));
  expect(attempts).toEqual([]);
});

test("sends nothing to a host whose key was revoked", async () => {
  expect(await refusal({ knownHosts: `${HOST_KEY.public}\n@revoked * ${HOST_KEY.public}` })).toBe(showed("revoked"));
  expect(attempts).toEqual([]);
});

test("sends nothing to a host that shows another key than the instance told AWS", async () => {
  const trust = hostKeyTrust(OTHER_HOST_KEY.public, "127.0.0.1", port, "the console output of i-0123456789abcdef0");
  expect(await refusal({ trust })).toBe(
    `127.0.0.1 port ${port}: the host showed the key ${fingerprint(blob(HOST_KEY.public))}, which is not the one in the console output of i-0123456789abcdef0. Nothing was sent to it. If its keys were made anew since, read them on the instance (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and write them in ssh-known-hosts; else somebody may stand between.`,
  );
  expect(attempts).toEqual([]);
});

test("sends nothing to a host that has no key of the known type", async () => {
  expect(await refusal({ knownHosts: ECDSA.public })).toBe(
    `127.0.0.1 port ${port}: the host has no key of the type in ssh-known-hosts (ecdsa-sha2-nistp256). Add the line for a key that it has to ssh-known-hosts.`,
  );
  expect(attempts).toEqual([]);
});

test("asks for the known key where the host has several", async () => {
  const two = new ssh2.Server({ hostKeys: [ECDSA.private, HOST_KEY.private] }, serve);
  const connection = await Connection.open(access({ port: await listen(two as unknown as TcpServer) }));
  connection.close();
  await connection.closed;
});

test("takes an RSA host key by its SHA-2 signatures", async () => {
  const rsa = ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 });
  const old = new ssh2.Server({ hostKeys: [rsa.private] }, serve);
  const connection = await Connection.open(
    access({ port: await listen(old as unknown as TcpServer), knownHosts: rsa.public }),
  );
  connection.close();
  await connection.closed;
});

test.each([
  ["a key that it doesn't know", { privateKey: STRANGER.private }, "ec2-user"],
  ["a user that it doesn't know", { user: "ubuntu" }, "ubuntu"],
])("says what to check when the host refuses %s", async (_what, changes, user) => {
  expect(await refusal(changes)).toBe(
    `127.0.0.1 port ${port}: the user "${user}" with this ssh-key was refused. Check ssh-user (Amazon Linux: ec2-user, Ubuntu: ubuntu, Debian: admin) and that the key's public half is in its authorized_keys.`,
  );
  expect(attempts).toContain(`${user} publickey`);
});

test("says what to check when the host refuses a key that EC2 Instance Connect sent", async () => {
  expect(await refusal({ privateKey: STRANGER.private, keyWasSent: true })).toContain(
    'the user "ec2-user" was refused, with the key that EC2 Instance Connect had sent. Check ssh-user',
  );
});

test("says that nothing listens on the port", async () => {
  const free = createServer();
  const nobody = await listen(free);
  await new Promise((resolve) => free.close(resolve));
  expect(await refusal({ port: nobody })).toBe(
    `127.0.0.1 port ${nobody}: the connection was refused. Does sshd run there, on that port?`,
  );
});

test("gives a host that says nothing no longer than connect-timeout", async () => {
  const at = await listen(createServer());
  expect(await refusal({ port: at, connectTimeout: 200 })).toBe(
    `127.0.0.1 port ${at}: no SSH connection within connect-timeout (0.2 s). Is the instance running, and does its security group let this runner in on port ${at}?`,
  );
});

test.each([
  ["at once", ""],
  ["after its banner", "SSH-2.0-OpenSSH_9.9\r\n"],
])("says so of a host that closes %s", async (_what, hello) => {
  const at = await listen(createServer((socket) => socket.on("error", () => {}).end(hello)));
  expect(await refusal({ port: at })).toBe(
    `127.0.0.1 port ${at}: the host closed the connection before anybody was logged in. Is it sshd that listens there? It may be at its limit (MaxStartups), or ban this runner's address: its log says which.`,
  );
});

test("says that a name does not resolve", async () => {
  expect(await refusal({ address: "no-such-host.invalid" })).toBe(
    'hosts: the name "no-such-host.invalid" does not resolve.',
  );
});

test("opens no channel on a connection that is over", async () => {
  const connection = await Connection.open(access());
  for (const client of clients) client.end();
  await connection.closed;
  const lost = new ConnectionLost("127.0.0.1");
  await expect(connection.exec("true")).rejects.toEqual(lost);
  await expect(connection.dial("127.0.0.1", 80)).rejects.toEqual(lost);
  await expect(connection.dialSocket("/x")).rejects.toEqual(lost);
});

test.each(["ends", "is cut"])("fails a channel that is still awaited when the connection %s", async (how) => {
  let asked = false;
  onExec = () => {
    asked = true;
  };
  const connection = await Connection.open(access());
  const pending = connection.exec("true");
  const failed = expect(pending).rejects.toEqual(new ConnectionLost("127.0.0.1"));
  await until(() => asked, "the request for a channel");
  if (how === "ends") for (const client of clients) client.end();
  else connection.destroy();
  await failed;
  expect(connection.over).toBe(true);
});

test("ends open channels with the connection", async () => {
  onExec = (accept) => accept().write("hello");
  const connection = await Connection.open(access());
  const channel = await connection.exec("cat");
  const closed = new Promise((resolve) => {
    channel.once("close", resolve);
  });
  channel.resume();
  connection.close();
  await closed;
});

test("says which channel the host refuses, and lives on", async () => {
  const connection = await Connection.open(access());
  await expect(connection.dial("127.0.0.1", 1)).rejects.toThrow(/Channel open failure/);
  expect(connection.over).toBe(false);
  connection.close();
});
