import { expect, test } from "@jest/globals";
import type Docker from "dockerode";
import { type ContainerSpec, createBody, demultiplex, lastLogLines, onlyPort } from "../../../src/host/containers";

const spec: ContainerSpec = {
  name: "shop-r2",
  app: "shop",
  release: "r2",
  transaction: "t2",
  sealKey: "",
  role: "app",
  image: "ghcr.io/acme/shop@sha256:0000",
  command: [],
  options: {
    port: 5000,
    env: { GREETING: "hello $(id)", EMPTY: "", LINES: "a\nb", EQUALS: "a=b" },
    command: [],
    volumes: ["data:/data", "/srv/x:/x:ro"],
    network: undefined,
    memory: undefined,
    nanoCpus: undefined,
    logOptions: { "max-size": "10m" },
    stopTimeout: 10_000,
  },
};

const withOptions = (options: Partial<ContainerSpec["options"]>): ContainerSpec => ({
  ...spec,
  options: { ...spec.options, ...options },
});

test("asks for a candidate that no reboot would start, with labels by which it is found again", () => {
  expect(createBody(spec)).toEqual({
    name: "shop-r2",
    Image: "ghcr.io/acme/shop@sha256:0000",
    Env: ["GREETING=hello $(id)", "EMPTY=", "LINES=a\nb", "EQUALS=a=b"],
    Labels: {
      "hello-devops.app": "shop",
      "hello-devops.role": "app",
      "hello-devops.release": "r2",
      "hello-devops.transaction": "t2",
    },
    StopTimeout: 10,
    HostConfig: {
      NetworkMode: "hello-devops-shop",
      RestartPolicy: { Name: "no" },
      Binds: ["data:/data", "/srv/x:/x:ro"],
      LogConfig: {
        Type: "json-file",
        Config: { "max-size": "10m", labels: "hello-devops.app,hello-devops.release", tag: "{{.Name}}" },
      },
    },
  });
});

test("says whose a line is in the line, with the user's labels beside ours", () => {
  const logOptions = { "max-size": "10m", labels: "team" };
  expect(createBody(withOptions({ logOptions })).HostConfig?.LogConfig?.Config).toEqual({
    "max-size": "10m",
    labels: "hello-devops.app,hello-devops.release,team",
    tag: "{{.Name}}",
  });
});

test("publishes no port: the proxy alone reaches a release", () => {
  expect(JSON.stringify(createBody(spec))).not.toMatch(/PortBindings|PublishAllPorts|ExposedPorts/);
});

test("keeps the image's own command unless there is another", () => {
  expect(createBody(spec)).not.toHaveProperty("Cmd");
  expect(createBody({ ...spec, command: ["npm", "run", "migrate now"] }).Cmd).toEqual(["npm", "run", "migrate now"]);
});

test("lets memory have no swap on top, and sets limits only where they are asked for", () => {
  expect(createBody(withOptions({ memory: 1024, nanoCpus: 5e8 })).HostConfig).toMatchObject({
    Memory: 1024,
    MemorySwap: 1024,
    NanoCpus: 5e8,
  });
});

test("rounds a stop timeout up to Docker's whole seconds", () => {
  expect(createBody(withOptions({ stopTimeout: 1_001 })).StopTimeout).toBe(2);
});

const ports: readonly [what: string, exposed: Record<string, object> | undefined, port: number | undefined][] = [
  ["the only one", { "5000/tcp": {} }, 5000],
  ["the only TCP one", { "5000/tcp": {}, "5000/udp": {}, "53/udp": {} }, 5000],
  ["none", {}, undefined],
  ["none at all", undefined, undefined],
  ["only UDP", { "53/udp": {} }, undefined],
  ["two", { "80/tcp": {}, "443/tcp": {} }, undefined],
];

test.each(ports)("finds the port of an image that exposes %s", (_what, ExposedPorts, port) => {
  expect(onlyPort({ Config: { ExposedPorts } } as unknown as Docker.ImageInspectInfo)).toBe(port);
});

function frame(stream: number, payload: string | Buffer): Buffer {
  const head = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(Buffer.byteLength(payload), 4);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const euro = Buffer.from("€");
const streams: readonly [what: string, raw: Buffer, text: string][] = [
  ["one frame", frame(1, "hello\n"), "hello\n"],
  ["both outputs in turn", Buffer.concat([frame(1, "out\n"), frame(2, "err\n"), frame(1, "out\n")]), "out\nerr\nout\n"],
  ["a line over two frames", Buffer.concat([frame(1, "hel"), frame(1, "lo\n")]), "hello\n"],
  ["a character over two frames", Buffer.concat([frame(1, euro.subarray(0, 1)), frame(1, euro.subarray(1))]), "€"],
  ["an empty frame between", Buffer.concat([frame(1, "a"), frame(1, ""), frame(1, "b")]), "ab"],
  ["a last frame that was cut", frame(1, "hello world").subarray(0, 13), "hello"],
  ["a last head that was cut", Buffer.concat([frame(1, "hello\n"), frame(2, "x").subarray(0, 5)]), "hello\n"],
  ["nothing", Buffer.alloc(0), ""],
  ["the plain text of a terminal", Buffer.from("hello\r\nworld\r\n"), "hello\r\nworld\r\n"],
  ["text that looks like a frame inside a frame", frame(1, frame(2, "x")), frame(2, "x").toString()],
];

test.each(streams)("reads %s", (_what, raw, text) => {
  expect(demultiplex(raw).toString()).toBe(text);
});

test("shows the last 50 lines of both outputs, oldest first, without empty ones", async () => {
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  const asked: unknown[] = [];
  const logs = (options: unknown) => {
    asked.push(options);
    return Promise.resolve(frame(1, `${lines.join("\n\n")}\n`));
  };
  const docker = { getContainer: () => ({ logs }) } as unknown as Docker;
  expect(await lastLogLines(docker, "shop-r2")).toEqual(lines.slice(10));
  expect(asked).toEqual([{ stdout: true, stderr: true, tail: 50, follow: false }]);
});
