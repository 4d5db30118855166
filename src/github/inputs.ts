import type {
  ContainerOptions,
  Credentials,
  DeployRequest,
  HealthOptions,
  ImageRequest,
  RolloutOptions,
  SafetyOptions,
  TrafficOptions,
} from "../release/request";
import { UserError } from "../user-error";
import { appName, asItIs, checkStrangers, type HostInputs, hostInputs, lock, verify } from "./host-inputs";
import { InputReader } from "./input-reader";
import type { InputSource } from "./input-source";
import { runOf } from "./run";
import { alarmNames } from "./values/alarms";
import { parameterPath, secretIds } from "./values/aws-env";
import { logOptions, network, volumes } from "./values/container";
import { duration } from "./values/durations";
import { envText } from "./values/env-text";
import { headers, healthPath, hostHeader, pattern, releaseHeader, statusRanges } from "./values/health";
import { digest, imageName, imageWith } from "./values/image-name";
import { boolean, matching, oneOf, portNumber, wholeNumber } from "./values/scalars";
import { freeDisk, memory, nanoCpus, waveSize } from "./values/sizes";
import { percentage, trafficSteps } from "./values/traffic";
import { words } from "./values/words";

export interface DeployInputs extends HostInputs {
  readonly request: DeployRequest;
  readonly envFromAws: EnvFromAws;
  /** names of CloudWatch alarms, or `PREFIX*` */
  readonly alarms: readonly string[];
}

/** Where AWS has variables of the container's environment, besides those in the request, which win. */
export interface EnvFromAws {
  /** "/shop/prod"; undefined = none in SSM Parameter Store */
  readonly ssmPath: string | undefined;
  /** names or ARNs in Secrets Manager; of two with one variable, the later one counts */
  readonly secrets: readonly string[];
}

/**
 * The inputs of actions/deploy-ec2, all of them checked.
 *
 * @throws {UserError} with one line for each thing that is wrong.
 */
export function readDeployInputs(io: InputSource): DeployInputs {
  const from = new InputReader(io);
  const inputs = deployInputs(from, io);
  from.refuseProblems();
  refuseTogether(from, inputs);
  return inputs;
}

/** Each by itself: whether they go together is asked once all of them are right (`refuseTogether`). */
export function deployInputs(from: InputReader, io: InputSource): DeployInputs {
  return {
    ...hostInputs(from),
    request: {
      app: appName(from, io),
      version: from.optional("version", version, () => versionOf(io.env.GITHUB_SHA)),
      image: image(from),
      container: container(from, io),
      preDeploy: preDeploy(from),
      traffic: traffic(from),
      rollout: rollout(from),
      health: health(from),
      bakeTime: from.needed("bake-time", duration("0s", "6h")),
      verify: verify(from),
      waveSize: from.needed("wave-size", waveSize),
      safety: safety(from),
      run: runOf(io.env),
    },
    envFromAws: {
      ssmPath: from.optional("env-ssm-path", parameterPath),
      secrets: from.optional("env-secrets-manager", secretIds) ?? [],
    },
    alarms: from.optional("alarms", alarmNames) ?? [],
  };
}

const containerName = matching(
  /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/,
  "the name of a container: letters, digits, dots, underscores and hyphens",
);

const version = matching(/^[0-9A-Za-z._-]{1,64}$/, "1 to 64 letters, digits, dots, underscores and hyphens");

function versionOf(commit: string | undefined): string {
  if (commit) return version("version", commit);
  throw new UserError("version: it is blank, and there is no commit (GITHUB_SHA is not set). Write one.");
}

function image(from: InputReader): ImageRequest {
  const given = from.optional("digest", digest);
  return { ...from.needed("image", imageWith(given)), credentials: credentials(from) };
}

function credentials(from: InputReader): Credentials | undefined {
  const username = from.optional("registry-username", asItIs) ?? "";
  const password = from.raw("registry-password", (_name, text) => text.trim());
  return from.check(() => {
    if (username === "" && password === "") return undefined;
    if (username === "")
      throw new UserError("registry-username: it is blank, but registry-password is not; give both.");
    if (password === "")
      throw new UserError(
        "registry-password: it is blank, but registry-username is not; give both, or neither for a public image or ECR " +
          "(a secret that does not exist is blank).",
      );
    return { username, password };
  });
}

const container = (from: InputReader, io: InputSource): ContainerOptions => ({
  port: from.optional("port", portNumber),
  env: {
    ...from.optional("env-file", (name, path) => envText(name, readEnvFile(io, name, path))),
    ...from.raw("env", envText),
  },
  command: from.optional("command", words) ?? [],
  volumes: from.optional("volumes", volumes) ?? [],
  network: from.optional("network", network),
  memory: from.optional("memory", memory),
  nanoCpus: from.optional("cpus", nanoCpus),
  logOptions: from.needed("log-options", logOptions),
  stopTimeout: from.needed("stop-timeout", duration("1s", "1h")),
});

function readEnvFile(io: InputSource, name: string, path: string): string {
  try {
    return io.readWorkspaceFile(path);
  } catch (cause) {
    throw cause instanceof UserError ? new UserError(`${name}: ${cause.message}`, { cause }) : cause;
  }
}

function preDeploy(from: InputReader): DeployRequest["preDeploy"] {
  const command = from.optional("pre-deploy", words);
  const timeout = from.needed("pre-deploy-timeout", duration("1s", "6h"));
  return command && { command, timeout };
}

const traffic = (from: InputReader): TrafficOptions => ({
  strategy: from.needed("strategy", oneOf(["blue-green", "recreate"])),
  httpPort: from.needed("http-port", portNumber),
  proxyImage: from.needed("proxy-image", imageName),
  responseTimeout: from.needed("response-timeout", duration("1s", "1h")),
  tunnelTimeout: from.needed("tunnel-timeout", duration("1s", "24h")),
  drainTimeout: from.needed("drain-timeout", duration("1s", "1h")),
  releaseHeader: from.needed("release-header", releaseHeader),
});

const rollout = (from: InputReader): RolloutOptions => ({
  steps: from.needed("traffic-steps", trafficSteps),
  stepDuration: from.needed("step-duration", duration("1s", "6h")),
  limits: {
    maxErrorRate: from.needed("max-error-rate", percentage(100)),
    maxLatencyIncrease: from.optional("max-latency-increase", percentage(1000)),
    minRequests: from.needed("min-requests", wholeNumber(1, 1_000_000)),
  },
  onInconclusive: from.needed("on-inconclusive", oneOf(["pass", "fail"])),
});

const health = (from: InputReader): HealthOptions => ({
  path: from.needed("health-path", healthPath),
  status: from.needed("health-status", statusRanges),
  host: from.optional("health-host", hostHeader),
  headers: from.optional("health-headers", headers("write it in health-host")) ?? {},
  body: from.optional("health-body", pattern),
  interval: from.needed("health-interval", duration("50ms", "5m")),
  timeout: from.needed("health-timeout", duration("100ms", "5m")),
  threshold: from.needed("health-threshold", wholeNumber(1, 100)),
  startTimeout: from.needed("start-timeout", duration("1s", "1h")),
});

const safety = (from: InputReader): SafetyOptions => ({
  ...lock(from),
  keepReleases: from.needed("keep-releases", wholeNumber(1, 100)),
  minFreeDisk: from.needed("min-free-disk", freeDisk),
  allowOlder: from.needed("allow-older", boolean),
  force: from.needed("force", boolean),
  keepFailed: from.needed("keep-failed", boolean),
  adopt: from.optional("adopt", containerName) ?? "",
});

/** Values that are right alone and can't be met together. @throws {UserError} with all that was found so far */
export function refuseTogether(from: InputReader, inputs: DeployInputs): void {
  checkStrangers(from, inputs);
  const { bakeTime, health, rollout, traffic } = inputs.request;
  const { interval, threshold, startTimeout } = health;
  from.check(() => {
    if (traffic.strategy === "blue-green" || rollout?.steps.length === 1) return;
    throw new UserError(
      "traffic-steps: with strategy recreate one release runs at a time, and two can't share the traffic. Write 100, or take strategy blue-green.",
    );
  });
  from.check(() => {
    if (bakeTime > 0 || rollout?.steps.length !== 1 || rollout.onInconclusive === "pass") return;
    throw new UserError(
      "on-inconclusive: with bake-time 0s and traffic-steps 100 no traffic is watched, so nothing can be said and no deploy would pass. Lengthen bake-time, or write pass.",
    );
  });
  from.check(() => {
    if (interval * (threshold - 1) < startTimeout) return;
    throw new UserError(
      `start-timeout: ${threshold} checks (health-threshold) with health-interval between them take longer; lengthen it.`,
    );
  });
  from.refuseProblems();
}
