import { expect, test } from "@jest/globals";
import { inputsOfRunner } from "../../../src/github/input-source";
import { readDeployInputs } from "../../../src/github/inputs";
import { ecrRegion } from "../../../src/github/values/image-name";
import { fingerprint as fingerprintOf } from "../../../src/release/naming";
import { UserError } from "../../../src/user-error";
import { actionYml, commit, fingerprint, source } from "./deploy-inputs";

const sha = `sha256:${"a".repeat(64)}`;

test("three inputs and the host's key are enough for a deploy", () => {
  const { hosts, access, request, summary, githubToken } = readDeployInputs(source());
  expect(hosts).toEqual({
    named: [{ user: "ec2-user", address: "203.0.113.7", port: 22 }],
    filters: [],
    user: "ec2-user",
    port: 22,
    address: "public",
    region: undefined,
  });
  expect({ ...access, key: "" }).toEqual({
    key: "",
    passphrase: "",
    knownHosts: fingerprint,
    securityGroup: undefined,
    connectTimeout: 30_000,
  });
  expect([summary, githubToken]).toEqual([true, ""]);
  expect(request).toEqual({
    app: "web-shop",
    version: commit,
    image: { name: "ghcr.io/acme/shop:1.4", digest: undefined, credentials: undefined },
    container: {
      port: undefined,
      env: {},
      command: [],
      volumes: [],
      network: undefined,
      memory: undefined,
      nanoCpus: undefined,
      logOptions: { "max-size": "10m", "max-file": "3" },
      stopTimeout: 30_000,
    },
    preDeploy: undefined,
    rollout: {
      steps: [100],
      stepDuration: 10_000,
      limits: { maxErrorRate: 0.01, maxLatencyIncrease: undefined, minRequests: 20 },
      onInconclusive: "pass",
    },
    traffic: {
      strategy: "blue-green",
      httpPort: 80,
      proxyImage: "haproxy:3.0.11",
      responseTimeout: 60_000,
      tunnelTimeout: 3_600_000,
      drainTimeout: 30_000,
      releaseHeader: "X-Release",
    },
    health: {
      path: "/health",
      status: [{ from: 200, to: 299 }],
      host: undefined,
      headers: {},
      body: undefined,
      interval: 300,
      timeout: 5000,
      threshold: 3,
      startTimeout: 120_000,
    },
    waveSize: { percent: 100 },
    bakeTime: 30_000,
    verify: undefined,
    safety: {
      lockTimeout: 600_000,
      lease: 15_000,
      keepReleases: 3,
      minFreeDisk: "auto",
      adopt: "",
      allowOlder: false,
      force: false,
      keepFailed: false,
      dryRun: false,
    },
    run: { id: undefined, attempt: 1, actor: "", url: "" },
  });
});

test("reads exactly the inputs that action.yml lists", () => {
  const read = new Set<string>();
  const io = source();
  readDeployInputs({
    ...io,
    input(name) {
      read.add(name);
      return io.input(name);
    },
  });
  expect([...read].sort()).toEqual(Object.keys(actionYml.inputs).sort());
});

const hosts = [
  ["a name", "web-1.example.com", { user: "ec2-user", address: "web-1.example.com", port: 22 }],
  ["a user and a port", "deploy@10.0.1.5:2222", { user: "deploy", address: "10.0.1.5", port: 2222 }],
  ["an IPv6 address", "[2001:db8::1]", { user: "ec2-user", address: "2001:db8::1", port: 22 }],
  [
    "an IPv6 address with all of it",
    "ubuntu@[2001:db8::1]:2222",
    { user: "ubuntu", address: "2001:db8::1", port: 2222 },
  ],
  [
    "the id of an instance",
    "ubuntu@i-0123456789abcdef0:2222",
    { user: "ubuntu", address: "i-0123456789abcdef0", port: 2222 },
  ],
  ["a host with blank lines around", "\n 10.0.1.5 \n", { user: "ec2-user", address: "10.0.1.5", port: 22 }],
] as const;
test("takes several hosts, by comma or line", () => {
  const { hosts } = readDeployInputs(source({ hosts: "10.0.0.1, me@10.0.0.2:2222\n10.0.0.3" }));
  expect(hosts.named.map(({ user, address, port }) => `${user}@${address}:${port}`)).toEqual([
    "ec2-user@10.0.0.1:22",
    "me@10.0.0.2:2222",
    "ec2-user@10.0.0.3:22",
  ]);
});

test("an instance is enough, without a key and without the host's", () => {
  const given = { hosts: "i-0123456789abcdef0", "ssh-key": "", "ssh-known-hosts": "" };
  const { access } = readDeployInputs(source(given));
  expect([access.key, access.knownHosts]).toEqual(["", ""]);
});

test("takes ec2-filters with their values, and what goes with them", () => {
  const { hosts, access } = readDeployInputs(
    source({
      hosts: "",
      "ec2-filters": "tag:Name = web, web 2\n\navailability-zone=us-east-1?",
      address: "private",
      "aws-region": "us-gov-west-1",
      "ssh-user": "ubuntu",
      "ssh-key": "",
      "ssh-known-hosts": "",
      "ssh-security-group": "sg-0123456789abcdef0",
    }),
  );
  expect(hosts).toEqual({
    named: [],
    filters: [
      { name: "tag:Name", values: ["web", "web 2"] },
      { name: "availability-zone", values: ["us-east-1?"] },
    ],
    user: "ubuntu",
    port: 22,
    address: "private",
    region: "us-gov-west-1",
  });
  expect(access.securityGroup).toBe("sg-0123456789abcdef0");
});

test.each([
  ["a number of hosts", "2", { hosts: 2 }],
  ["a share of them", "50%", { percent: 50 }],
])("takes wave-size as %s", (_what, text, expected) => {
  expect(readDeployInputs(source({ "wave-size": text })).request.waveSize).toEqual(expected);
});

test.each(hosts)("reaches a host given as %s", (_what, text, expected) => {
  expect(readDeployInputs(source({ hosts: text })).hosts.named).toEqual([expected]);
});

test("takes user and port of the host before ssh-user and ssh-port", () => {
  const given = { "ssh-user": "admin", "ssh-port": "2200" };
  expect(readDeployInputs(source({ ...given, hosts: "10.0.0.1" })).hosts.named).toMatchObject([
    { user: "admin", port: 2200 },
  ]);
  expect(readDeployInputs(source({ ...given, hosts: "me@10.0.0.1:22" })).hosts.named).toMatchObject([
    { user: "me", port: 22 },
  ]);
});

const images = [
  ["a tag", { image: "registry:5000/a/b_c:v1" }, { name: "registry:5000/a/b_c:v1", digest: undefined }],
  ["a bare name", { image: "nginx" }, { name: "nginx", digest: undefined }],
  ["a tag and a digest", { image: `ghcr.io/a/b:v1@${sha}` }, { name: "ghcr.io/a/b:v1", digest: sha }],
  ["a digest apart", { image: "ghcr.io/a/b", digest: sha }, { name: "ghcr.io/a/b", digest: sha }],
  ["the same digest twice", { image: `ghcr.io/a/b@${sha}`, digest: sha }, { name: "ghcr.io/a/b", digest: sha }],
] as const;
test.each(images)("takes an image given with %s", (_what, given, expected) => {
  expect(readDeployInputs(source(given)).request.image).toMatchObject(expected);
});

const container = [
  ["the port", { port: "3000" }, { port: 3000 }],
  [
    "a command with quotes",
    { command: `serve --name 'a b' "c \\"d\\" e" f\\ g ''` },
    { command: ["serve", "--name", "a b", 'c "d" e', "f g", ""] },
  ],
  [
    "a command that no shell touches",
    { command: "run *.js ~ #1 a=b '$HOME && `x`' 5$ {a,b}" },
    { command: ["run", "*.js", "~", "#1", "a=b", "$HOME && `x`", "5$", "{a,b}"] },
  ],
  [
    "a command over lines with backslashes",
    { command: "serve \\\n  --port 80\n" },
    { command: ["serve", "--port", "80"] },
  ],
  ["volumes", { volumes: "/srv/a:/a:ro, data:/b\nc_1:/c:rw" }, { volumes: ["/srv/a:/a:ro", "data:/b", "c_1:/c:rw"] }],
  ["a network", { network: "monitoring" }, { network: "monitoring" }],
  ["memory in m", { memory: "512m" }, { memory: 512 * 1024 ** 2 }],
  ["memory in GiB", { memory: "1.5GiB" }, { memory: 1.5 * 1024 ** 3 }],
  ["memory in bytes", { memory: "10485760" }, { memory: 10_485_760 }],
  ["half a processor", { cpus: "0.5" }, { nanoCpus: 500_000_000 }],
  [
    "log options",
    { "log-options": "max-size=1g\ntag={{.Name}}" },
    { logOptions: { "max-size": "1g", tag: "{{.Name}}" } },
  ],
] as const;
test.each(container)("understands %s", (_what, given, expected) => {
  expect(readDeployInputs(source(given)).request.container).toMatchObject(expected);
});

const health = [
  [
    "lists of statuses",
    { "health-status": "200, 204\n301-399" },
    {
      status: [
        { from: 200, to: 200 },
        { from: 204, to: 204 },
        { from: 301, to: 399 },
      ],
    },
  ],
  ["a Host header", { "health-host": "shop.example.com:8443" }, { host: "shop.example.com:8443" }],
  [
    "headers with commas and colons",
    { "health-headers": "Accept: a, b\nX-Url: http://x" },
    { headers: { Accept: "a, b", "X-Url": "http://x" } },
  ],
  ["a pattern for the body", { "health-body": '"status":\\s*"ok"' }, { body: /"status":\s*"ok"/ }],
] as const;
test.each(health)("understands %s for the checks", (_what, given, expected) => {
  expect(readDeployInputs(source(given)).request.health).toMatchObject(expected);
});

const flags = [
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
] as const;
test.each(flags)("reads %s as YAML does", (text, expected) => {
  expect(readDeployInputs(source({ force: text })).request.safety.force).toBe(expected);
});

test("turns the release header off by the word off", () => {
  expect(readDeployInputs(source({ "release-header": "off" })).request.traffic.releaseHeader).toBe("");
});

test("names the run that deploys and links to its attempt", () => {
  const env = {
    GITHUB_RUN_ID: "42",
    GITHUB_RUN_ATTEMPT: "2",
    GITHUB_ACTOR: "ann",
    GITHUB_SERVER_URL: "https://github.com",
  };
  expect(readDeployInputs(source({}, env)).request.run).toEqual({
    id: 42,
    attempt: 2,
    actor: "ann",
    url: "https://github.com/Acme/Web_Shop/actions/runs/42/attempts/2",
  });
});

test("takes both registry credentials, and no blanks around the password", () => {
  const given = { "registry-username": "ann", "registry-password": "s3cret!\n" };
  expect(readDeployInputs(source(given)).request.image.credentials).toEqual({ username: "ann", password: "s3cret!" });
});

test("cuts a repository's name to one that fits an app", () => {
  const env = { GITHUB_REPOSITORY: `acme/.${"Long_Name".repeat(3)}---${"x".repeat(30)}` };
  expect(readDeployInputs(source({}, env)).request.app).toBe("long-namelong-namelong-name-xx");
});

test("takes where AWS has the env: a path with or without a slash behind it, secrets by comma or line", () => {
  const arn = "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:shop/prod-AbC123";
  const given = { "env-ssm-path": "/shop/prod/", "env-secrets-manager": `shop/prod\n${arn}, rds!db-6d9ce4ce` };
  expect(readDeployInputs(source(given)).envFromAws).toEqual({
    ssmPath: "/shop/prod",
    secrets: ["shop/prod", arn, "rds!db-6d9ce4ce"],
  });
});

test("takes alarms by comma or line, each once, prefixes too", () => {
  const given = { alarms: "web-5xx, web-cpu\n  db *\n\nweb-5xx" };
  expect(readDeployInputs(source(given)).alarms).toEqual(["web-5xx", "web-cpu", "db *"]);
});

const registries: readonly [image: string, region: string | undefined][] = [
  ["111122223333.dkr.ecr.eu-west-3.amazonaws.com/team/shop:1.4", "eu-west-3"],
  ["111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/shop", "cn-north-1"],
  ["public.ecr.aws/acme/shop", undefined],
  ["ghcr.io/111122223333.dkr.ecr.eu-west-3.amazonaws.com/shop", undefined],
  ["111122223333.dkr.ecr.eu-west-3.amazonaws.com.evil.test/shop", undefined],
];
test.each(registries)(
  "knows of %s whether it is in a private ECR registry, and in which region: %s",
  (image, region) => {
    expect(ecrRegion(readDeployInputs(source({ image })).request.image.name)).toBe(region);
  },
);

test("takes the steps of the traffic, and what the gate on it is to bear", () => {
  const given = { "traffic-steps": "10, 50,100", "step-duration": "1m", "max-latency-increase": "50%" };
  const limits = { "max-error-rate": "0.25%", "min-requests": "100", "on-inconclusive": "fail" };
  expect(readDeployInputs(source({ ...given, ...limits })).request.rollout).toEqual({
    steps: [10, 50, 100],
    stepDuration: 60_000,
    limits: { maxErrorRate: 0.0025, maxLatencyIncrease: 0.5, minRequests: 100 },
    onInconclusive: "fail",
  });
});

test("how the traffic moves is no part of the release", () => {
  const print = (given: Parameters<typeof source>[0]) => fingerprintOf(readDeployInputs(source(given)).request);
  const steps = { "traffic-steps": "10, 100", "step-duration": "1m", "max-error-rate": "5%", "min-requests": "7" };
  expect(print({ ...steps, "max-latency-increase": "50%", "on-inconclusive": "fail" })).toBe(print({}));
});

test("puts env over env-file", () => {
  const io = source({ env: "A=1\nB=2", "env-file": "prod.env" }, {}, { "prod.env": "B=file\nC=3" });
  expect(readDeployInputs(io).request.container.env).toEqual({ A: "1", B: "2", C: "3" });
});

test("tells all that is wrong at once, a line for each", () => {
  const wrong = source({ "bake-time": "soon", port: "0", image: "" });
  expect(() => readDeployInputs(wrong)).toThrow(
    new UserError(
      [
        "image: it is blank. Write a value, or leave the input out to get its default.",
        'port: expected a port from 1 to 65535, got "0".',
        'bake-time: expected a duration such as 30s or 2m, got "soon".',
      ].join("\n"),
    ),
  );
});

test("finds an input where the runner puts it", () => {
  const io = inputsOfRunner({ "INPUT_HEALTH-PATH": " /up ", GITHUB_SHA: commit });
  expect([io.input("health-path"), io.input("port"), io.env.GITHUB_SHA]).toEqual([" /up ", "", commit]);
});
